import { once } from 'node:events';
import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { Lane, untilOpeningRepeated } from './lane.mjs';

/**
 * The network between a page and its server, with an address of its own. `mode` decides what happens to the bytes:
 * - `whole`: they pass.
 * - `mute`: open connections end. New ones are accepted and stay unanswered, even when the network is whole again.
 * - `cut`: packets are lost without a notice. When the network is whole again, a connection continues when TCP repeats its lost packets:
 *   the longer the cut, the later. New connections wait likewise.
 * - `refuse`: open and new connections are reset.
 */
export async function startNetwork(pulse) {
  const links = new Set();
  const network = { mode: 'whole' };
  const server = createServer((socket) => {
    const { mode } = network;
    socket.on('error', () => undefined);
    if (mode === 'refuse') return socket.resetAndDestroy();
    const link = { socket, openedAt: Date.now(), isLost: mode === 'mute', held: [], hold: (bytes) => link.held.push(bytes) };
    links.add(link);
    socket.on('close', () => forget(link));
    if (mode === 'whole') join(link);
    // Read in each mode, because the end of the connection would otherwise stay unnoticed.
    else socket.on('data', link.hold);
  });

  function join(link) {
    const { socket, held, hold } = link;
    const { hostname, port } = new URL(pulse.url);
    link.onward = connect(Number(port), hostname);
    link.onward.on('error', () => undefined).on('close', () => forget(link));
    link.lanes = [new Lane(socket, link.onward), new Lane(link.onward, socket)];
    socket.off('data', hold);
    for (const bytes of held) link.onward.write(bytes);
  }

  // A cut hides the end of one side from the other one.
  function forget(link) {
    if (link.onward && !(link.onward.closed && link.socket.closed)) return;
    clearTimeout(link.joining);
    links.delete(link);
  }

  function become(mode) {
    network.mode = mode;
    for (const link of links) {
      if (link.isLost) continue;
      const { socket, onward, lanes } = link;
      clearTimeout(link.joining);
      if (mode === 'mute' || mode === 'refuse') {
        if (mode === 'mute') socket.destroy();
        else socket.resetAndDestroy();
        onward?.destroy();
      } else if (lanes) {
        for (const lane of lanes) {
          if (mode === 'cut') lane.hold();
          else lane.release();
        }
      } else if (mode === 'whole') link.joining = setTimeout(() => join(link), untilOpeningRepeated(link.openedAt));
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    become('refuse');
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
