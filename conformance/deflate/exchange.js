// Sends the planned messages over a socket, and compares what comes back: in Node and in a browser.
'use strict';

const UNDER_WAY = 32;

// `wire` has `send(planned, content)`; `ended` is called once, with what was seen.
class Exchange {
  constructor(pools, messages, wire, ended) {
    Object.assign(this, { pools, messages, wire, ended });
    this.seen = { messages: 0, bytes: 0, pings: 0, mismatch: null };
    this.sent = 0;
  }

  content({ kind, start, size }) {
    return this.pools[kind].subarray(start, start + size);
  }

  pump() {
    while (this.sent < this.messages.length && this.sent - this.seen.messages < UNDER_WAY) {
      const planned = this.messages[this.sent];
      this.sent += 1;
      this.wire.send(planned, this.content(planned));
    }
  }

  received(kind, data) {
    const planned = this.messages[this.seen.messages];
    if (!planned || kind !== planned.kind || !equal(data, this.content(planned))) {
      this.finish(`echo ${this.seen.messages} of ${JSON.stringify(planned)} is ${kind} of ${data.length} bytes`);
      return;
    }
    this.seen.messages += 1;
    this.seen.bytes += planned.size;
    if (this.seen.messages === this.messages.length) this.finish(null);
    else this.pump();
  }

  finish(mismatch) {
    this.seen.mismatch = this.seen.mismatch || mismatch;
    this.wire.close();
  }

  closed(code, reason) {
    if (this.seen.messages < this.messages.length && !this.seen.mismatch) {
      this.seen.mismatch = `the connection ended early, behind ${this.seen.messages} messages: ${code} ${reason}`;
    }
    this.ended({ ...this.seen, code });
  }
}

function equal(one, other) {
  if (one.length !== other.length) return false;
  if (one.equals) return one.equals(other);
  return one.every((byte, place) => byte === other[place]);
}

if (typeof module !== 'undefined') module.exports = { Exchange };
