// again.js HOST - again.py's plain calls in Node: one process, a handshake for each line of
// standard input (a PORT of 127.0.0.1), answered by `accept`, `refuse`, or what else went wrong.
'use strict';
const readline = require('readline');
const tls = require('tls');

const host = process.argv[2];
const REFUSAL = /certificate verify failed/;

function handshake(port) {
  return new Promise((resolve) => {
    const socket = tls.connect({
      host: '127.0.0.1', port, servername: host, rejectUnauthorized: false,
      ciphers: 'DEFAULT:@SECLEVEL=0', timeout: 60000,
    });
    socket.on('secureConnect', () => { resolve('accept'); socket.destroy(); });
    socket.on('error', (error) => resolve(REFUSAL.test(error.message) ? 'refuse' : String(error)));
    socket.on('timeout', () => { resolve('timeout'); socket.destroy(); });
  });
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin }))
    console.log(await handshake(Number(line)));
})();
