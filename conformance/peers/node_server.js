// A server in Node. Takes the same argument as python_server.py and prints the same.
'use strict';
const { WebSocketServer } = require('ws');

const LARGEST = 64 << 20;

function echo(socket, seen) {
  socket.on('message', (data, isBinary) => {
    seen.messages += 1;
    socket.send(data, { binary: isBinary });
  });
}

function fragments(socket, seen) {
  socket.on('pong', (payload) => {
    // A pong may answer several pings at once, with the payload of the latest (RFC 6455 §5.5.3).
    const number = Number(/^between fragments (\d+)$/.exec(payload.toString())[1]);
    if (number > seen.pongs && number <= seen.messages) seen.pongs = number;
  });
  socket.on('message', (data, binary) => {
    seen.messages += 1;
    const step = Math.floor(data.length / 3);
    socket.send(data.subarray(0, step), { binary, fin: false });
    socket.ping(`between fragments ${seen.messages}`);
    socket.send(data.subarray(step, 2 * step), { binary, fin: false });
    socket.send(data.subarray(2 * step), { binary, fin: true });
  });
}

function farewell(socket) {
  socket.send('farewell');
  socket.close(4000, 'enough');
}

function binary(socket, seen) {
  socket.send(Buffer.from([0, 1, 2, 254, 255]));
  socket.send('after the binary one');
  echo(socket, seen);
}

function abort(socket) {
  socket.send('still here');
  setTimeout(() => socket.terminate(), 200);
}

const behaviour = { echo, fragments, farewell, binary, abort }[process.argv[2]];
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: LARGEST }, () => {
  process.stdout.write(`${server.address().port}\n`);
});
server.on('connection', (socket, request) => {
  const seen = { messages: 0, pongs: 0 };
  socket.on('error', () => {});
  socket.on('close', (code) => {
    const report = { ...seen, code: code === 1005 || code === 1006 ? null : code };
    process.stdout.write(`${JSON.stringify({ ...report, protocol: socket.protocol || null, headers: request.headers })}\n`);
  });
  behaviour(socket, seen);
});
