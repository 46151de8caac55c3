// One stream for all tabs of a browser: HTTP/1.1 has six connections to a server, commands need theirs.
import { Follower } from "./follower.mjs";
import { apply } from "./state.mjs";

const rooms = new Map();

/** Whether any tab is a control room, whose reader the others see. */
const isPresent = (room) => [...room.ports.values()].includes(true);

function enter(stream, port, present) {
  let room = rooms.get(stream);
  if (!room) {
    room = { ports: new Map(), state: null, heardAt: 0, follower: null, failed: false };
    rooms.set(stream, room);
    const tell = (message) => {
      for (const one of room.ports.keys()) one.postMessage(message);
    };
    const heard = (kind, data) => {
      room.heardAt = Date.now();
      room.failed = false;
      room.state = apply(room.state, kind, data, room.heardAt);
      tell({ kind, data, heardAt: room.heardAt });
    };
    const failed = (status) => {
      room.failed = true;
      tell({ kind: "failed", data: { status }, heardAt: room.heardAt });
    };
    room.follower = new Follower(stream, { heard, failed }, present);
  } else if (room.failed) {
    // It may have given up: who comes now may be signed in again.
    room.follower.again();
  }
  room.ports.set(port, present);
  room.follower.be(isPresent(room));
  if (room.state) port.postMessage({ kind: "snapshot", data: room.state, heardAt: room.heardAt });
  return room;
}

function leave(stream, port) {
  const room = rooms.get(stream);
  if (!room?.ports.delete(port)) return;
  if (room.ports.size > 0) {
    room.follower.be(isPresent(room));
    return;
  }
  room.follower.stop();
  rooms.delete(stream);
}

addEventListener("connect", (event) => {
  const [port] = event.ports;
  let stream = null;
  let present = false;
  let seen = Date.now();
  // A tab that ended without a word says nothing any more. One that slept speaks again, then enters again.
  let guard = null;
  const unguard = () => {
    clearInterval(guard);
    guard = null;
  };
  const watch = () => {
    guard ??= setInterval(() => {
      if (Date.now() - seen < 70000) return;
      leave(stream, port);
      unguard();
    }, 10000);
  };
  port.onmessage = ({ data }) => {
    seen = Date.now();
    if (stream !== null && !data.leave && !data.follow && !rooms.get(stream)?.ports.has(port)) {
      enter(stream, port, present);
      watch();
    }
    if (data.follow) {
      if (stream !== null) leave(stream, port);
      stream = data.follow;
      present = data.present === true;
      enter(stream, port, present);
      watch();
    } else if (data.again && stream !== null) {
      rooms.get(stream)?.follower.again();
    } else if (data.leave && stream !== null) {
      leave(stream, port);
      unguard();
      stream = null;
    }
  };
  port.start();
});
