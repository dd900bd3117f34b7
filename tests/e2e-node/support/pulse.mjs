import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.mjs';
import { until } from './until.mjs';

const web = { folder: fileURLToPath(new URL('../../../src/Pulse.Web/', import.meta.url)), name: 'Pulse.Web' };
const built = ({ folder, name }) => join(folder, 'bin', process.env.PULSE_TEST_CONFIGURATION ?? 'Debug', 'net10.0', `${name}.dll`);
/** The built Pulse.Web. */
export const program = built(web);
const startMs = 90_000;

/** Pulse.Web as the process that a user runs, killed and started again by the test. It keeps its address and its settings. */
export class Pulse {
  #settings;
  #project;
  #log;
  #process;
  #listen;

  /**
   * @param directory of this test only: data and log.
   * @param project Pulse.Web, or an application that hosts it.
   */
  constructor(directory, settings = {}, project = web) {
    if (!existsSync(built(project))) throw new Error(`${built(project)} is missing: build the solution first (./test.sh does).`);
    this.#project = project;
    this.#log = join(directory, 'pulse.log');
    this.#settings = {
      ASPNETCORE_ENVIRONMENT: 'Development',
      Pulse__DataDirectory: join(directory, 'data'),
      Pulse__Cluster__SiloPort: '0',
      Pulse__Cluster__GatewayPort: '0',
      ...settings,
    };
  }

  get url() {
    return this.#listen;
  }

  async start() {
    const isFirst = !this.#listen;
    if (isFirst) this.#listen = `http://127.0.0.1:${await freePort()}`;
    const log = openSync(this.#log, 'a');
    const offset = fstatSync(log).size;
    this.#process = spawn('dotnet', [built(this.#project)], {
      cwd: this.#project.folder,
      env: { ...process.env, ...this.#settings, ASPNETCORE_URLS: this.#listen },
      stdio: ['ignore', log, log],
    });
    closeSync(log);

    const output = () => readFileSync(this.#log).subarray(offset).toString();
    const isUp = () => output().includes(`Now listening on: ${this.#listen}`);
    await until('"Now listening on" in the log', () => isUp() || this.#hasEnded, Boolean, { withinMs: startMs })
      .catch((error) => this.#explain(error));
    if (this.#hasEnded) {
      // Another process may have taken the port meanwhile.
      if (isFirst && output().includes('in use by another process')) {
        this.#listen = undefined;
        return this.start();
      }
      this.#explain(new Error(`${this.#project.name} ended with ${this.#process.exitCode ?? this.#process.signalCode}`));
    }
    await until('200 from /health/ready', async () => (await fetch(`${this.url}/health/ready`)).status, (status) => status === 200, { withinMs: startMs })
      .catch((error) => this.#explain(error));
    return this;
  }

  /** Stops like a power cut, which leaves no time for a goodbye. */
  kill() {
    return this.#end('SIGKILL');
  }

  /** Stops regularly. Resolves to the exit code. */
  stop() {
    return this.#end('SIGTERM');
  }

  /** Stops the process in place, like a paused machine. */
  freeze() {
    this.#process.kill('SIGSTOP');
  }

  thaw() {
    this.#process.kill('SIGCONT');
  }

  /** The last lines of its log, for the message of a failed test. */
  logTail() {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').split('\n').slice(-40).join('\n') : '';
  }

  get #hasEnded() {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async #end(signal) {
    const running = this.#process;
    if (!running || this.#hasEnded) return running?.exitCode;
    const ended = once(running, 'exit');
    running.kill(signal);
    const patience = setTimeout(() => running.kill('SIGKILL'), 30_000);
    const [code] = await ended;
    clearTimeout(patience);
    return code;
  }

  #explain(error) {
    throw new Error(`${error.message}\n--- pulse.log ---\n${this.logTail()}`);
  }
}
