// https.cjs HOST PORT CAFILE|- on|off - Node's https.get.
"use strict";
const [host, port, ca, verify] = process.argv.slice(2);
const options = { host, port, path: "/hello", agent: false, timeout: 60000 };
if (ca !== "-") options.ca = require("fs").readFileSync(ca);
if (verify === "off") options.rejectUnauthorized = false;
const request = require("https").get(options, (response) => response.pipe(process.stdout));
request.on("timeout", () => request.destroy(new Error("timeout")));
request.on("error", (error) => {
  console.error(`${error.code} ${error.message}`);
  process.exitCode = 1;
});
