// Hands each message on to everybody else.
import { Server } from "socket.io";

const server = new Server(Number(process.env.PORT), { transports: ["websocket"], perMessageDeflate: false });
server.on("connection", (socket) => socket.on("m", (data) => socket.broadcast.emit("m", data)));
