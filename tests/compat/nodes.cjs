// nodes.cjs KIND HOST PORT [insecure] [ca=FILE] [identity=ok|wrong] [blocked=FILE] - the ways by
// which programs speak TLS in Node.js. Prints what the server says, or the error's code and message.
// For `http2` the server is in this process: PORT is then the name of its certificate's files.
"use strict";
const fs = require("fs");
const net = require("net");

const [kind, host, port, ...rest] = process.argv.slice(2);
const given = Object.fromEntries(rest.map((word) => word.split("=")));
const options = { host, port, servername: host, timeout: 60000 };
if ("insecure" in given) options.rejectUnauthorized = false;
if (given.ca) options.ca = fs.readFileSync(given.ca);
if (given.identity)
  options.checkServerIdentity = () => given.identity === "wrong" ? new Error("not the one") : undefined;

function fail(error) {
  const why = error.cause ?? error;
  console.log(`${why.code} ${why.message}`);
  process.exitCode = 1;
}

// What Node.js itself blocks, by the key's digest, beside the list that is built in.
function block(file) {
  const { internalBinding } = require("internal/test/binding");
  const { X509Certificate, createHash } = require("crypto");
  const key = new X509Certificate(fs.readFileSync(file)).publicKey;
  const digest = createHash("sha256").update(key.export({ type: "spki", format: "der" })).digest();
  internalBinding("crypto").addBlockedSPKIForTesting(digest);
}

function get(more, done) {
  const request = require("https").get({ ...options, path: "/hello", ...more }, (response) => {
    const resumed = response.socket.isSessionReused();
    let text = "";
    response.on("data", (part) => { text += part; });
    response.on("end", () => done(text, resumed));
  });
  request.on("timeout", () => request.destroy(new Error("timeout")));
  request.on("error", fail);
}

function speak(socket) {
  socket.on("secureConnect", () => socket.write("GET /hello HTTP/1.0\r\n\r\n"));
  socket.on("timeout", () => socket.destroy(new Error("timeout")));
  socket.on("error", fail);
  socket.pipe(process.stdout);
}

// A stream of JavaScript's, which no socket is known of.
function piped(socket) {
  const { Duplex } = require("stream");
  const stream = new Duplex({
    read() {}, write(data, _, done) { socket.write(data, done); }, final(done) { socket.end(done); },
  });
  socket.on("data", (data) => stream.push(data));
  socket.on("end", () => stream.push(null));
  socket.on("error", fail);
  return stream;
}

const kinds = {
  https() { get({ agent: false }, (text) => process.stdout.write(text)); },

  // The agent keeps the session.
  again() {
    const agent = new (require("https").Agent)({ keepAlive: false });
    get({ agent }, (first) => get({ agent }, (second, resumed) =>
      process.stdout.write(`${first}${second}${resumed ? "resumed" : "in full"}\n`)));
  },

  tls() { speak(require("tls").connect(options)); },

  socket() { speak(require("tls").connect({ ...options, socket: net.connect(port, "127.0.0.1") })); },

  stream() { speak(require("tls").connect({ ...options, socket: piped(net.connect(port, "127.0.0.1")) })); },

  context() {
    const tls = require("tls");
    const { ca } = options;
    delete options.ca;
    speak(tls.connect({ ...options, secureContext: tls.createSecureContext(ca ? { ca } : {}) }));
  },

  worker() {
    const { Worker } = require("worker_threads");
    const worker = new Worker(__filename, { argv: ["https", host, port, ...rest] });
    worker.on("error", fail);
    worker.on("exit", (code) => { process.exitCode ||= code; });
  },

  fetch() {
    fetch(`https://${host}:${port}/hello`, { signal: AbortSignal.timeout(60000) })
      .then((response) => response.text()).then((text) => process.stdout.write(text)).catch(fail);
  },

  http2() {
    const http2 = require("http2");
    delete options.port;
    const server = http2.createSecureServer({
      key: fs.readFileSync(`${port}.key`), cert: fs.readFileSync(`${port}.chain.pem`),
    });
    server.on("error", () => {});
    server.on("sessionError", () => {});
    server.on("stream", (stream) => { stream.respond(); stream.end("hello from http2\n"); });
    server.listen(0, "127.0.0.1", () => {
      const client = http2.connect(`https://${host}:${server.address().port}`, options);
      const end = () => { client.destroy(); server.close(); };
      client.on("error", (error) => { fail(error); end(); });
      const stream = client.request({ ":path": "/hello" });
      stream.on("error", () => {});
      stream.on("data", (data) => process.stdout.write(data));
      stream.on("end", end);
    });
  },
};

if (given.blocked) block(given.blocked);
kinds[kind]();
