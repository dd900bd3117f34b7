import { setTimeout as delay } from 'node:timers/promises';
import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';

/** A signed-in person, as an application's client code would be. */
export class Client {
  constructor(pulse, person) {
    this.pulse = pulse;
    this.person = person;
  }

  /** Signs in through development sign-in and syncs. */
  static async signIn(pulse, person) {
    const client = new Client(pulse, person);
    const { status, body } = await client.sendUntilAvailable('POST', '/auth/dev', person);
    if (status !== 200) throw new Error(`POST /auth/dev answered ${status}: ${JSON.stringify(body)}`);
    client.token = body.accessToken;
    client.expiresAt = body.expiresAt;
    client.sync = await client.sendUntilAvailable('POST', '/auth/sync', person);
    client.id = client.sync.body?.id;
    return client;
  }

  async send(method, path, body) {
    const answer = await fetch(this.pulse.url + path, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(this.token && { authorization: `Bearer ${this.token}` }),
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : undefined };
  }

  /**
   * Repeats a request while `mayRepeat` takes its answer, after the seconds that Pulse asks for. Returns the last answer after a minute. By
   * default it repeats requests that Pulse refused before any change because a store timed out, as happens on a busy machine.
   */
  async sendUntilAvailable(method, path, body, mayRepeat = isUnavailable) {
    for (const deadline = Date.now() + 60_000; ;) {
      const answer = await this.send(method, path, body);
      if (!mayRepeat(answer) || Date.now() > deadline) return answer;
      await delay(Number(answer.headers.get('retry-after') ?? 1) * 1_000);
    }
  }

  async me() {
    return (await this.send('GET', '/auth/me')).body;
  }

  async presence() {
    return (await this.send('GET', `/presence?ids=${this.id}`)).body?.find((one) => one.userId === this.id);
  }

  /**
   * Opens a live socket. Resolves when the server has sent `Connected`. With `reconnect` it reconnects by itself, as a browser's client
   * does.
   */
  async connect({ reconnect = false } = {}) {
    const builder = new HubConnectionBuilder()
      .withUrl(`${this.pulse.url}/hubs/pulse`, {
        transport: HttpTransportType.WebSockets,
        skipNegotiation: true,
        accessTokenFactory: () => this.token,
      })
      .configureLogging(LogLevel.None);
    if (reconnect) builder.withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => 200 });
    const hub = builder.build();
    const connected = new Promise((resolve, reject) => {
      hub.on('Connected', resolve);
      hub.onclose((error) => reject(error ?? new Error('closed before Connected')));
    });
    // A later close finds this promise settled. At an earlier close start() may fail first, and this rejection stays unused.
    connected.catch(() => undefined);
    await hub.start();
    return { hub, greeting: await connected };
  }
}

/** Whether Pulse refused before any change, because a store timed out. */
export const isUnavailable = ({ status, body }) => status === 503 && body?.type === 'urn:pulse:problem:unavailable';
