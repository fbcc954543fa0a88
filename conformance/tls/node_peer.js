// A peer by Node's tls and ws. Takes the same arguments as python_peer.py and prints the same.
'use strict';
const fs = require('fs');
const https = require('https');
const { WebSocket, WebSocketServer } = require('ws');

function describe(tls) {
  const resumed = tls.isSessionReused() ? 'yes' : 'no';
  const names = (tls.getPeerCertificate().subjectaltname || 'none').replace(/DNS:|, IP.*$/g, '');
  return `open version=${tls.getProtocol()} resumed=${resumed} peer=${names} alpn=${tls.alpnProtocol || 'None'}`;
}

function only(version) {
  return { minVersion: `TLSv${version}`, maxVersion: `TLSv${version}`, ALPNProtocols: ['http/1.1'] };
}

function server(chain, key, version, roots) {
  const asked = roots ? { ca: fs.readFileSync(roots), requestCert: true, rejectUnauthorized: true } : {};
  const options = { cert: fs.readFileSync(chain), key: fs.readFileSync(key), ...only(version), ...asked };
  const listening = https.createServer(options);
  const sockets = new WebSocketServer({ server: listening });
  sockets.on('connection', (socket, request) => {
    console.log(describe(request.socket));
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('close', (code) => console.log(`closed ${code}`));
    socket.on('error', (error) => console.log(`lost ${error}`));
  });
  listening.listen(0, '127.0.0.1', () => console.log(listening.address().port));
}

function client(uri, roots, version) {
  const socket = new WebSocket(uri, { ca: fs.readFileSync(roots), ...only(version) });
  socket.on('open', () => socket.send('echo'));
  socket.on('message', (data) => {
    console.log(String(data) === 'echo' ? describe(socket._socket) : `failed ${data}`);
    socket.close(1000);
  });
  socket.on('error', (error) => console.log(`failed ${error}`));
}

const [role, ...words] = process.argv.slice(2);
({ server, client })[role](...words);
