// Sends back each message, compressed: `node node_ws.mjs <level> <takeover or no-takeover>`.
// Prints its port, and takes no notice of how large a message is.
import { WebSocketServer } from 'ws';

const [level, takeover] = process.argv.slice(2);
const startsAnew = takeover === 'no-takeover';

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  maxPayload: 64 << 20,
  perMessageDeflate: {
    threshold: 0,
    serverNoContextTakeover: startsAnew,
    clientNoContextTakeover: startsAnew,
    zlibDeflateOptions: { level: Number(level), memLevel: 8, windowBits: 15 },
  },
});
server.on('listening', () => console.log(server.address().port));
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
