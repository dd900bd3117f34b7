import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A network path to Pulse that the test cuts: `cut()` breaks all connections off and refuses new ones, `mend()` accepts them again. */
export class Proxy {
  #sockets = new Set();
  #isCut = false;

  static async start(t, url) {
    const proxy = new Proxy();
    const { hostname, port } = new URL(url);
    const server = createServer((client) => {
      if (proxy.#isCut) return client.destroy();
      const target = connect(Number(port), hostname);
      for (const [socket, other] of [[client, target], [target, client]]) {
        proxy.#sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => {
          proxy.#sockets.delete(socket);
          other.destroy();
        });
      }
      client.pipe(target).pipe(client);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      proxy.cut();
      server.close();
    });
    proxy.url = `http://127.0.0.1:${server.address().port}`;
    return proxy;
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }
}
