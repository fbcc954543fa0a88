// A peer in Node. Takes the same arguments as python_peer.py and prints the same.
'use strict';
const fs = require('fs');
const path = require('path');
const WebSocket = require('ws');
const { Exchange } = require('./exchange.js');

const limits = (options) => ({ maxPayload: 1 << 26, perMessageDeflate: settings(JSON.parse(options)) });

// Messages of any size are compressed, unless the plan says otherwise.
function settings(parameters) {
  const found = { threshold: 0 };
  const names = {
    server_no_context_takeover: 'serverNoContextTakeover',
    client_no_context_takeover: 'clientNoContextTakeover',
    server_max_window_bits: 'serverMaxWindowBits',
    client_max_window_bits: 'clientMaxWindowBits',
  };
  for (const [name, value] of Object.entries(parameters)) {
    // For a window `false` means that it must not be limited.
    if (value !== null && (value || name.endsWith('bits'))) found[names[name]] = value;
  }
  return found;
}

function print(seen) {
  process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
}

function exchange(socket, folder, plan) {
  const pools = {};
  for (const kind of ['text', 'binary']) pools[kind] = fs.readFileSync(path.join(folder, `${kind}.pool`));
  let pings = 0;
  let failure = null;
  const wire = {
    send(planned, content) {
      const how = { binary: planned.kind === 'binary', compress: !planned.plain };
      let before = 0;
      for (const cut of planned.cuts) {
        socket.send(content.subarray(before, cut), { ...how, fin: false });
        before = cut;
      }
      if (planned.ping) {
        pings += 1;
        socket.ping();
      }
      socket.send(content.subarray(before), how);
    },
    close: () => socket.close(1000, 'done'),
  };
  const running = new Exchange(pools, JSON.parse(fs.readFileSync(plan, 'utf8')), wire, (seen) => {
    print({ ...seen, pings, mismatch: seen.mismatch && failure ? `${seen.mismatch} (${failure})` : seen.mismatch });
  });
  socket.on('message', (data, isBinary) => running.received(isBinary ? 'binary' : 'text', data));
  socket.on('error', (error) => { failure = error.message; });
  socket.on('close', (code, reason) => running.closed(code, reason));
  return running;
}

function client(folder, plan, options, uri) {
  const socket = new WebSocket(uri, limits(options));
  const running = exchange(socket, folder, plan);
  socket.on('open', () => running.pump());
}

function server(folder, plan, options) {
  serve(options, (socket) => exchange(socket, folder, plan).pump());
}

function echo(options) {
  serve(options, (socket) => {
    let messages = 0;
    socket.on('message', (data, isBinary) => {
      messages += 1;
      socket.send(data, { binary: isBinary });
    });
    socket.on('close', (code) => print({ messages, code }));
  });
}

function serve(options, treat) {
  const listening = new WebSocket.WebSocketServer({ host: '127.0.0.1', port: 0, ...limits(options) }, () => {
    process.stdout.write(`${listening.address().port}\n`);
  });
  listening.on('connection', treat);
}

const [role, ...words] = process.argv.slice(2);
({ client, server, echo })[role](...words);
