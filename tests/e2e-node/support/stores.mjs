import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const { PULSE_TEST_POSTGRES: postgres, PULSE_TEST_REDIS: redis, PULSE_TEST_PG_BIN: postgresBin } = process.env;

/** The reason why the tests on real servers cannot run, or false. */
export const noServers = !postgres || !redis ? 'PULSE_TEST_POSTGRES and PULSE_TEST_REDIS are not set (./test.sh sets them)' : false;

/** A database of this test only, in the cluster of PULSE_TEST_POSTGRES. */
export class Database {
  #name = `pulse_e2e_${randomUUID().replaceAll('-', '')}`;

  static async create() {
    const database = new Database();
    await psql('postgres', `create database ${database.#name}`);
    return database;
  }

  get connectionString() {
    return postgres.replace(/Database=[^;]*/i, `Database=${this.#name}`);
  }

  /** The first column of the first row, as text. */
  query(sql) {
    return psql(this.#name, sql);
  }

  drop() {
    return psql('postgres', `drop database if exists ${this.#name} with (force)`);
  }
}

/** The settings that put a Pulse on that database and the Redis of PULSE_TEST_REDIS, in a cluster of its own. */
export function serverSettings(database) {
  return {
    // Three times the default, because a statement on a busy machine may take longer than Pulse waits by default.
    ConnectionStrings__Postgres: `${database.connectionString};Command Timeout=6`,
    ConnectionStrings__Redis: redis,
    Pulse__Cluster__ClusterId: `e2e-${randomUUID()}`,
    Pulse__Cluster__AdvertisedAddress: '127.0.0.1',
  };
}

/** The presence key of a user: its value and its remaining seconds. */
export async function presenceKey(userId) {
  const key = `user:${userId}:online`;
  return { value: await redisCli('get', key), ttl: Number(await redisCli('ttl', key)) };
}

export const noKey = (key) => key.value === '' && key.ttl === -2;
export const liveKey = (key, timeToLive = 60) => key.value === 'true' && key.ttl > 0 && key.ttl <= timeToLive;

async function redisCli(...args) {
  const [host, port] = redis.split(':');
  return (await run('redis-cli', ['-h', host, '-p', port, ...args])).stdout.trim();
}

async function psql(database, sql) {
  const setting = Object.fromEntries(postgres.split(';').map((pair) => pair.split('=')).map(([name, value]) => [name.toLowerCase(), value]));
  const program = postgresBin ? join(postgresBin, 'psql') : 'psql';
  const { stdout } = await run(program, ['-XqtA', '-h', setting.host, '-p', setting.port, '-U', setting.username, '-d', database, '-c', sql]);
  return stdout.trim();
}
