import { once } from 'node:events';
import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * The network between a page and its server, with an address of its own. `mode` decides what happens to the bytes:
 * - `whole`: they pass.
 * - `mute`: open connections end. New ones are accepted and stay unanswered, even when the network is whole again.
 * - `cut`: open connections are silent, and continue when the network is whole again, as TCP does. New ones wait likewise.
 */
export async function startNetwork(pulse) {
  const links = new Set();
  const network = { mode: 'whole' };
  const server = createServer((socket) => {
    const link = { socket, isLost: network.mode === 'mute', held: [], hold: (bytes) => link.held.push(bytes) };
    links.add(link);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      links.delete(link);
      link.onward?.destroy();
    });
    // Read in each mode, because the end of the connection would otherwise stay unnoticed.
    socket.on('data', link.hold);
    if (network.mode === 'whole') join(link);
  });

  function join(link) {
    const { hostname, port } = new URL(pulse.url);
    link.onward = connect(Number(port), hostname);
    link.onward.on('error', () => link.socket.destroy());
    link.onward.on('close', () => {
      link.isOver = true;
      // A cut also hides the end of a connection.
      if (network.mode === 'whole') link.socket.destroy();
    });
    link.socket.off('data', link.hold);
    for (const bytes of link.held) link.onward.write(bytes);
    link.socket.pipe(link.onward).pipe(link.socket);
  }

  function become(mode) {
    network.mode = mode;
    for (const link of links) {
      if (link.isLost) continue;
      if (mode === 'mute' || (mode === 'whole' && link.isOver)) link.socket.destroy();
      else if (mode === 'whole' && !link.onward) join(link);
      else if (mode === 'whole') link.socket.pipe(link.onward).pipe(link.socket);
      else if (link.onward) for (const end of [link.socket, link.onward]) end.unpipe().pause();
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const { socket } of links) socket.destroy();
    server.close();
  });
  return Object.assign(network, { url: `http://127.0.0.1:${server.address().port}`, become });
}

/** A proxy that blocks WebSockets. `answers`: it refuses them; otherwise it leaves them unanswered. */
export async function startProxyWithoutSockets(pulse, { answers }) {
  const { hostname, port } = new URL(pulse.url);
  const proxy = createHttpServer((request, response) => {
    const { url, method, headers } = request;
    const onward = httpRequest({ hostname, port, path: url, method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      // The headers are flushed at once, otherwise events would wait for more data.
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  let refused = 0;
  const held = new Set();
  proxy.on('upgrade', (_, socket) => {
    refused++;
    socket.on('error', () => undefined);
    held.add(socket);
    if (answers) socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    for (const socket of held) socket.destroy();
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${proxy.address().port}`, get refused() { return refused; } };
}
