// tls.cjs HOST PORT CAFILE|- on|off - Node's tls.connect.
"use strict";
const [host, port, ca, verify] = process.argv.slice(2);
const options = { host, port, servername: host, timeout: 60000 };
if (ca !== "-") options.ca = require("fs").readFileSync(ca);
if (verify === "off") options.rejectUnauthorized = false;
const socket = require("tls").connect(options, () => socket.write("GET /hello HTTP/1.0\r\n\r\n"));
socket.pipe(process.stdout);
socket.on("timeout", () => socket.destroy(new Error("timeout")));
socket.on("error", (error) => {
  console.error(`${error.code} ${error.message}`);
  process.exitCode = 1;
});
