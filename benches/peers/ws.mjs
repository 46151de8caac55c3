// WebSocket echo on the npm package ws.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.STAMPEDE_NODE_MODULES, "here.js"));
const { WebSocketServer } = require("ws");
const options = { host: "127.0.0.1", port: 0, backlog: 4096, perMessageDeflate: false };
const server = new WebSocketServer(options, () => console.log(server.address().port));
server.on("connection", (socket) => {
  socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
});
