// A client in Node. Takes the same arguments as python_client.py and prints the same.
'use strict';
const fs = require('fs');
const path = require('path');
const WebSocket = require('ws');

const LARGEST = 64 << 20;
const WINDOW_MESSAGES = 64;
const WINDOW_BYTES = 32 << 20;

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const open = (uri, protocols = [], options = {}) => new WebSocket(uri, protocols, { maxPayload: LARGEST, ...options });

// A code of 1005 or 1006 is made up by the library: no Close frame with a code came.
const howClosed = (code, reason) => ({ code: code === 1005 || code === 1006 ? null : code, reason: reason.toString() });

function sendFragments(socket, data, planned, sentPings) {
  // Cut by bytes, so that text is cut inside characters too; the last fragment is empty.
  const binary = planned.kind === 'binary';
  const step = Math.floor(data.length / (planned.fragments - 1)) + 1;
  for (let number = 0; number < planned.fragments; number += 1) {
    if (planned.ping && number === planned.fragments >> 1) {
      const payload = `between fragments ${sentPings.length}`;
      sentPings.push(payload);
      socket.ping(payload);
    }
    const fin = number === planned.fragments - 1;
    socket.send(data.subarray(number * step, (number + 1) * step), { binary, fin });
  }
}

function exchange(uri, folder, plan) {
  const pools = {};
  for (const kind of ['text', 'binary']) pools[kind] = fs.readFileSync(path.join(folder, `${kind}.pool`));
  const content = ({ kind, start, size }) => pools[kind].subarray(start, start + size);
  const messages = JSON.parse(fs.readFileSync(plan, 'utf8'));
  const seen = { messages: 0, bytes: 0, mismatch: null };
  const sentPings = [];
  let answered = 0;
  let sent = 0;
  let bytesUnderWay = 0;
  const socket = open(uri);

  function pump() {
    while (sent < messages.length) {
      const planned = messages[sent];
      const underWay = sent - seen.messages;
      const fits = underWay < WINDOW_MESSAGES && bytesUnderWay + planned.size <= WINDOW_BYTES;
      if (underWay > 0 && !fits) return;
      sent += 1;
      bytesUnderWay += planned.size;
      if (planned.fragments > 1) sendFragments(socket, content(planned), planned, sentPings);
      else socket.send(content(planned), { binary: planned.kind === 'binary' });
    }
  }

  function finish(mismatch) {
    seen.mismatch = mismatch;
    socket.close(1000, 'done');
  }

  function finishWhenComplete() {
    if (seen.messages === messages.length && answered === sentPings.length) finish(null);
  }

  socket.on('open', pump);
  socket.on('message', (data, isBinary) => {
    const planned = messages[seen.messages];
    const kind = isBinary ? 'binary' : 'text';
    if (!planned || kind !== planned.kind || !data.equals(content(planned))) {
      finish(`echo ${seen.messages} of ${JSON.stringify(planned)} is ${kind} of ${data.length} bytes`);
      return;
    }
    seen.messages += 1;
    seen.bytes += planned.size;
    bytesUnderWay -= planned.size;
    pump();
    finishWhenComplete();
  });
  socket.on('pong', (payload) => {
    // A pong may answer several pings at once, with the payload of the latest (RFC 6455 §5.5.3).
    const place = sentPings.indexOf(payload.toString(), answered);
    if (place < 0) finish(`a pong with the payload ${payload} answers no ping`);
    answered = place + 1;
    finishWhenComplete();
  });
  socket.on('error', (error) => { seen.mismatch = error.message; });
  socket.on('close', (code, reason) => {
    if (seen.messages < messages.length) seen.mismatch = seen.mismatch || `the connection ended early: ${code} ${reason}`;
    print({ ...seen, pongs: answered, ...howClosed(code, reason) });
  });
}

function awaitClose(uri) {
  const socket = open(uri);
  socket.on('open', () => socket.send('ready?'));
  socket.on('message', () => process.stdout.write('open\n'));
  socket.on('close', (code, reason) => print(howClosed(code, reason)));
}

function oversize(uri, size) {
  const socket = open(uri);
  socket.on('open', () => socket.send(Buffer.alloc(Number(size), 'x')));
  socket.on('message', () => socket.close(1000));
  socket.on('error', () => {});
  socket.on('close', (code, reason) => print(howClosed(code, reason)));
}

function handshake(uri, origin, ...protocols) {
  const socket = open(uri, protocols, origin ? { origin } : {});
  socket.on('open', () => {
    print({ status: 101, protocol: socket.protocol || null });
    socket.close();
  });
  socket.on('unexpected-response', (request, response) => {
    print({ status: response.statusCode, protocol: null });
    request.destroy();
  });
  socket.on('error', () => {});
}

const commands = { exchange, 'await-close': awaitClose, oversize, handshake };
commands[process.argv[2]](...process.argv.slice(3));
