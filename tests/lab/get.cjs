// get.cjs HOST ADDRESS PORT [--cafile FILE] [--insecure] - an ordinary https.get client.
// Connects to ADDRESS as if HOST resolved to it. Prints the body, or the refusal's code.
"use strict";
const fs = require("fs");
const https = require("https");
const net = require("net");

const [host, address, port, ...rest] = process.argv.slice(2);
const options = { host, port, path: "/hello", agent: false, timeout: 60000 };
const family = net.isIP(address);
options.lookup = (_, how, done) =>
  how.all ? done(null, [{ address, family }]) : done(null, address, family);
if (!net.isIP(host)) options.servername = host;
if (rest.includes("--cafile")) options.ca = fs.readFileSync(rest[rest.indexOf("--cafile") + 1]);
if (rest.includes("--insecure")) options.rejectUnauthorized = false;

const request = https.get(options, (response) => response.pipe(process.stdout));
request.on("timeout", () => request.destroy(new Error("timeout")));
request.on("error", (error) => {
  console.log(`${error.code} ${error.message}`);
  process.exitCode = 1;
});
