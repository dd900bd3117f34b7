// The files of deploy and docker-compose.yml fit together. Programs that read them, where they are installed, accept them.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { freePort } from './support/ports.mjs';
import { until } from './support/until.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true });
const example = read('.env.example');
const objects = readdirSync(join(root, 'deploy/kubernetes')).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
  .flatMap((name) => parseAllDocuments(read(`deploy/kubernetes/${name}`)).map((document) => document.toJS()));
// Debian keeps HAProxy there.
const withPrograms = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
const withoutComments = (path) => read(path).replaceAll(/#.*$/gm, '');
const ofKind = (kind) => objects.filter((object) => object.kind === kind);
const install = read('docs/operator/install.md');
/** The files that the page for operators shows: docker-compose.override.yml, and the overlay for Kubernetes. */
const [override, overlay] = blocksOf(install, 'yaml');
/** The names of the services that run an image. */
const services = (image) => Object.keys(compose.services).filter((name) => compose.services[name].image === image);

test('each container of docker-compose.yml is bounded and restarts', () => {
  for (const [name, service] of Object.entries(compose.services)) {
    assert.ok(service.mem_limit && service.pids_limit, `${name} has limits`);
    assert.deepEqual([service.restart, service.read_only, service.cap_drop], ['unless-stopped', true, ['ALL']], name);
    assert.ok(service.logging.options['max-size'] && service.logging.options['max-file'], `${name} rotates its log`);
  }
});

test('.env.example and docker-compose.yml have the same names', () => {
  const offered = [...example.matchAll(/^#?([A-Z][A-Za-z0-9_]*)=/gm)].map(([, name]) => name);
  const interpolated = [...read('docker-compose.yml').matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name);
  const passed = Object.values(compose.services).flatMap(({ environment = {} }) => Object.entries(environment)).filter(([, value]) => value === null)
    .map(([name]) => name);
  // Compose itself reads these.
  const taken = new Set([...interpolated, ...passed, 'COMPOSE_PROJECT_NAME', 'COMPOSE_PROFILES', 'COMPOSE_FILE']);
  assert.deepEqual(offered.filter((name) => !taken.has(name)), [], 'no name of .env.example is without effect');
  const images = /^PULSE_\w+_IMAGE$/;
  assert.deepEqual([...taken].filter((name) => !offered.includes(name) && !images.test(name)), [], 'each name is in .env.example');
});

test('both images name their source and licence', () => {
  const [, base, silo, web] = /^FROM \S+ AS base$(.*?)^FROM base AS silo$(.*?)^FROM base AS web$(.*)/ms.exec(read('Dockerfile'));
  for (const label of ['licenses', 'version', 'revision', 'source', 'vendor']) assert.match(base, new RegExp(`org\\.opencontainers\\.image\\.${label}="`), label);
  for (const image of [silo, web]) for (const label of ['title', 'description']) assert.match(image, new RegExp(`org\\.opencontainers\\.image\\.${label}="`), label);
});

test('git ignores the files that readers fill with secrets', async (t) => {
  // A new repository is used, because this tree may be an archive that lacks its history.
  const scratch = await mkdtemp(join(tmpdir(), 'pulse-ignored-'));
  t.after(() => rm(scratch, { recursive: true, force: true }));
  const git = (folder, ...args) => run('git', args, { cwd: join(scratch, folder) });
  await cp(join(root, '.gitignore'), join(scratch, 'all/.gitignore'));
  await git('all', 'init', '--quiet');
  await git('all', 'check-ignore', '.env', 'deploy/kubernetes/secrets.yaml', 'samples/nextjs/.env.local').then(({ stdout }) =>
    assert.equal(stdout.trim().split('\n').length, 3, stdout));
  // The sample is also copied alone.
  await cp(join(root, 'samples/nextjs/.gitignore'), join(scratch, 'alone/.gitignore'));
  await git('alone', 'init', '--quiet');
  await git('alone', 'check-ignore', '.env.local');
});

test('the AppHost of the samples knows the password of the volume that it keeps', () => {
  assert.match(read('samples/dotnet-host-apphost/AppHost.cs'), /WithDataVolume\(\)/);
  // Aspire keeps a generated password in the user secrets of the project, or else makes a new one at each start.
  assert.match(read('samples/dotnet-host-apphost/Pulse.Samples.AppHost.csproj'), /<UserSecretsId>[^<]+<\/UserSecretsId>/);
});

test('the objects of Kubernetes fit together', () => {
  const selected = ({ spec }) => Object.entries(spec.podSelector?.matchLabels ?? spec.selector.matchLabels ?? spec.selector).join();
  const deployments = ofKind('Deployment');
  assert.equal(deployments.length, 2);
  for (const deployment of deployments) {
    const labels = Object.entries(deployment.spec.template.metadata.labels).join();
    for (const kind of ['NetworkPolicy', 'PodDisruptionBudget'])
      assert.ok(ofKind(kind).some((object) => selected(object) === labels), `${deployment.metadata.name} has a ${kind}`);
    const [container] = deployment.spec.template.spec.containers;
    assert.ok(container.resources.limits.memory && container.resources.requests.cpu, 'CPU and memory');
  }
  for (const scaler of ofKind('HorizontalPodAutoscaler')) {
    assert.ok(deployments.some(({ metadata }) => metadata.name === scaler.spec.scaleTargetRef.name));
    // A metric of another kind needs an adapter, which a cluster may lack.
    assert.deepEqual(scaler.spec.metrics.map(({ type, resource }) => `${type} ${resource?.name}`), ['Resource cpu']);
  }
  for (const { spec } of ofKind('Ingress')) {
    const { service } = spec.rules[0].http.paths[0].backend;
    const target = ofKind('Service').find(({ metadata }) => metadata.name === service.name);
    assert.ok(target.spec.ports.some(({ name }) => name === service.port.name));
    assert.deepEqual(spec.tls[0].hosts, [spec.rules[0].host]);
  }
});

test('an upgrade of containers builds first, and then replaces one process after the other, silos first', () => {
  const [lines] = blocksOf(section(read('docs/operating.md'), '## Upgrading'), 'sh');
  const [, replaced] = /for process in (.*); do/.exec(lines);
  assert.deepEqual(replaced.split(' '), [...services('pulse-silo'), ...services('pulse-web')]);
  assert.match(lines, /docker compose build --pull\n(.|\n)*up -d --no-deps --wait \$process/);
});

test('images that only this machine has are not pulled', () => {
  const built = Object.values(compose.services).filter(({ build }) => build).map(({ image }) => image);
  assert.deepEqual(built.sort(), ['pulse-silo', 'pulse-web']);
  const fetched = [...`${read('docker-compose.yml')}${read('docs/operating.md')}`.matchAll(/`docker compose pull([^`]*)`(?! alone)/g)].map(([, names]) => names.trim().split(' '));
  assert.ok(fetched.length > 1);
  for (const names of fetched)
    assert.deepEqual(names.filter((name) => !compose.services[name] || built.includes(compose.services[name].image)), [], names.join(' '));
});

test('a restore with containers stops all processes of Pulse, and changes the id of the logs before they start', () => {
  const [lines] = blocksOf(section(read('docs/operating.md'), '### Restore'), 'sh');
  const [stop, drop, restore, change, start] = lines.trim().split('\n');
  assert.deepEqual(stop.replace('docker compose stop ', '').split(' '), [...services('pulse-web'), ...services('pulse-silo')]);
  assert.match(drop, /DROP SCHEMA pulse CASCADE/);
  assert.match(restore, /pg_restore .* < pulse\.dump$/);
  assert.match(change, /UPDATE pulse\.chat_log SET id = gen_random_uuid\(\)/);
  assert.match(start, /^docker compose up/);
  for (const page of ['docs/operating.md', 'docs/operator/install.md']) assert.match(read(page), /pg_dump -U postgres -Fc pulse > pulse\.dump/);
});

test('the override stays in force beside the dashboard', () => {
  const name = 'docker-compose.override.yml';
  assert.ok(override.startsWith(`# ${name}\n`), 'install.md names the file');
  assert.match(read('.gitignore'), new RegExp(`^${name}$`, 'm'));
  for (const path of ['docs/operator/observe.md', 'deploy/observability/compose.yaml', '.env.example']) {
    const [, list] = /COMPOSE_FILE=(\S+)/.exec(read(path));
    assert.deepEqual(list.split(':'), ['docker-compose.yml', name, 'deploy/observability/compose.yaml'], path);
    assert.doesNotMatch(read(path), /docker compose -f/, path);
  }
});

test('settings that silos and front ends both read are known as such, and both get them', () => {
  const settings = read('docs/settings.md');
  const shared = settings.split(/^## /m).filter((text) => text.includes('Silos and front ends both read'))
    .map((text) => /both read `(Pulse:\w+):\*`/.exec(text)?.[1] ?? /^\| `(Pulse:\w+):/m.exec(text)[1]).sort();
  const single = [...settings.matchAll(/^\| `([\w:]+)` \|.*give it to both/gm)].map(([, name]) => name.replaceAll(':', '__'));
  assert.ok(shared.length > 1 && single.length > 1);

  const env = read('deploy/kubernetes/silo.env');
  assert.deepEqual([...env.matchAll(/\b(Pulse:\w+)/g)].map(([, name]) => name).sort(), shared);
  for (const name of single) assert.match(env, new RegExp(`^#${name}=`, 'm'));

  const isShared = (name) => single.includes(name) || shared.some((start) => name.startsWith(`${start.replace(':', '__')}__`));
  const sharedOf = (environment) => Object.fromEntries(Object.entries(environment).filter(([name]) => isShared(name)));
  const examples = { 'docker-compose.yml': compose, 'install.md': parse(override, { merge: true }) };
  for (const [path, { services: all }] of Object.entries(examples)) {
    const [first, ...others] = [...services('pulse-silo'), ...services('pulse-web')].map((name) => sharedOf(all[name].environment));
    assert.ok(Object.keys(first).length > 0, path);
    for (const other of others) assert.deepEqual(other, first, path);
  }

  const [silo, frontEnd] = ['pulse-silo', 'pulse-front-end'].map((name) =>
    sharedOf(Object.fromEntries(parse(overlay).configMapGenerator.find((generator) => generator.name === name).literals.map((line) => line.split(/=(.*)/s)))));
  assert.ok(Object.keys(silo).length > 0);
  assert.deepEqual(frontEnd, silo);
});

test('the overlay for Kubernetes has all that is the operator\'s, and fits its base', () => {
  const steps = section(install, '## Kubernetes');
  const lines = blocksOf(steps, 'sh').join('');
  assert.doesNotMatch(lines, /\bsed\b|[>\s]deploy\/\S+\s*(?:#.*)?$/m, 'no step changes a file of the repository');
  assert.match(lines, /tag=\$\(git describe --always --dirty\)/);
  assert.doesNotMatch(lines, /:\d/, 'no tag is the same for all builds');
  assert.match(read('.gitignore'), /^overlays\/$/m);

  const base = parse(read('deploy/kubernetes/kustomization.yaml'));
  const { namespace, resources, images, configMapGenerator, patches } = parse(overlay);
  assert.equal(namespace, base.namespace);
  for (const name of resources.filter((resource) => !resource.startsWith('../'))) assert.ok(lines.includes(`overlays/production/${name}`), `a step makes ${name}`);
  assert.deepEqual(images.map(({ name }) => name), base.images.map(({ newName }) => newName));
  assert.deepEqual(configMapGenerator.map(({ name, behavior }) => [name, behavior]), base.configMapGenerator.map(({ name }) => [name, 'merge']));
  for (const { target, patch } of patches) {
    const object = ofKind(target.kind).find(({ metadata }) => metadata.name === target.name);
    assert.ok(object, `${target.kind} ${target.name}`);
    for (const { op, path } of parse(patch)) {
      const keys = path.slice(1).split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
      const parent = keys.slice(0, -1).reduce((value, key) => value?.[key], object);
      assert.ok(parent && (op === 'add') !== (keys.at(-1) in parent), `${op} ${path}`);
    }
  }
});

test('no proxy compresses pages, because the length of a compressed page reveals its secrets', () => {
  assert.doesNotMatch(withoutComments('deploy/caddy/Caddyfile'), /\bencode\b/);
  assert.match(withoutComments('deploy/nginx/pulse.conf'), /^ {2}gzip off;$/m);
  assert.doesNotMatch(withoutComments('deploy/haproxy/haproxy.cfg'), /\bcompression\b/);
});

test('nginx, which asks for no health, has one upstream', () => {
  const [, upstream] = /^upstream pulse \{$(.*?)^\}$/ms.exec(read('deploy/nginx/pulse.conf'));
  assert.equal([...upstream.matchAll(/^ *server /gm)].length, 1);
  assert.match(upstream, /another balancer that asks \/health\/ready/, 'it says what chooses among several front ends');
});

test('HAProxy leaves a front end up whose health check takes longer than the interval of the checks', { timeout: 60_000 }, async (t) => {
  let checks = 0;
  // The check takes 1.5 s, as it does while Redis is unavailable.
  const frontEnd = createServer((request, answer) => {
    if (request.url !== '/health/ready') return answer.end('page');
    checks++;
    setTimeout(() => answer.end(), 1_500);
  }).listen(0, '127.0.0.1');
  await once(frontEnd, 'listening');
  t.after(() => frontEnd.close());
  const directory = await mkdtemp(join(tmpdir(), 'pulse-haproxy-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const servers = join(directory, 'servers.cfg');
  await writeFile(servers, `backend front_ends\n  server one 127.0.0.1:${frontEnd.address().port} check\n`);
  const bind = `127.0.0.1:${await freePort()}`;
  const haproxy = spawn('haproxy', ['-f', 'deploy/haproxy/haproxy.cfg', '-f', servers], { cwd: root, env: { ...withPrograms, PULSE_BIND: bind }, stdio: 'ignore' });
  t.after(() => haproxy.kill('SIGKILL'));

  // Two failed checks in a row would take it down.
  await until('a third check', () => checks, (count) => count >= 3);
  assert.equal((await fetch(`http://${bind}/`)).status, 200);
});

test('the programs that read these files accept them', { timeout: 300_000 }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'pulse-deploy-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const env = join(directory, 'env');
  await writeFile(env, example.replace(/^(Pulse__Auth__SigningKey|POSTGRES_PASSWORD|REDIS_PASSWORD)=$/gm, '$1=0123456789abcdef0123456789abcdef'));
  const servers = join(directory, 'servers.cfg');
  await writeFile(servers, 'backend front_ends\n  server one 127.0.0.1:18080 check\n');
  const files = ['-f', 'docker-compose.yml'];
  // The two files that the page for operators shows, where it says that they belong.
  await writeFile(join(directory, 'override.yml'), override);
  const production = join(directory, 'overlays/production');
  await mkdir(production, { recursive: true });
  await writeFile(join(production, 'kustomization.yaml'), overlay);
  await writeFile(join(production, 'ingress.yaml'), read('deploy/kubernetes/ingress.example.yaml'));
  await cp(join(root, 'deploy/kubernetes'), join(directory, 'deploy/kubernetes'), { recursive: true });
  const checks = [
    ['haproxy', '-c', '-f', 'deploy/haproxy/haproxy.cfg', '-f', servers],
    ['docker-compose', '--env-file', env, ...files, 'config', '-q'],
    ['docker-compose', '--env-file', env, ...files, '-f', join(directory, 'override.yml'), 'config', '-q'],
    ['docker-compose', '--env-file', env, ...files, '-f', join(directory, 'override.yml'), '-f', 'deploy/observability/compose.yaml', 'config', '-q'],
    ['kubectl', 'kustomize', production],
    ['caddy', 'validate', '--adapter', 'caddyfile', '--config', 'deploy/caddy/Caddyfile'],
  ];
  let ran = 0;
  for (const [program, ...options] of checks) {
    await run(program, options, { cwd: root, env: { ...withPrograms, HOME: directory, CORP_SECRET: 'secret', PULSE_BIND: '127.0.0.1:18080' } })
      .then(() => ran++, (error) => {
        if (error.code === 'ENOENT') t.diagnostic(`${program} is missing: ${options.at(-1)} was not checked`);
        else throw new Error(`${program} ${options.join(' ')}: ${error.stderr}`);
      });
  }
  // test.sh installs HAProxy.
  assert.ok(ran > 0);
});

/** The blocks of code in that language, stripped of the indentation of a list. */
function blocksOf(text, language) {
  return [...text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^\\1\`\`\`$`, 'gms'))]
    .map(([, indent, code]) => code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}

/** The text of a document from that heading to the next one of its level. */
function section(text, heading) {
  const level = heading.split(' ')[0];
  return text.split(`\n${heading}\n`)[1].split(new RegExp(`^#{1,${level.length}} `, 'm'))[0];
}
