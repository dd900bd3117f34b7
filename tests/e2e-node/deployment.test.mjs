// The files of deploy and docker-compose.yml fit together. Programs that read them, where they are installed, accept them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true });
const example = read('.env.example');
const objects = readdirSync(join(root, 'deploy/kubernetes')).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
  .flatMap((name) => parseAllDocuments(read(`deploy/kubernetes/${name}`)).map((document) => document.toJS()));
const ofKind = (kind) => objects.filter((object) => object.kind === kind);

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
  // Compose itself reads these two.
  const taken = new Set([...interpolated, ...passed, 'COMPOSE_PROJECT_NAME', 'COMPOSE_PROFILES']);
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
  // In a new repository, because this one may be an archive without its history.
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

test('the programs that read these files accept them', { timeout: 300_000 }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'pulse-deploy-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const env = join(directory, 'env');
  await writeFile(env, example.replace(/^(Pulse__Auth__SigningKey|POSTGRES_PASSWORD|REDIS_PASSWORD)=$/gm, '$1=0123456789abcdef0123456789abcdef'));
  const servers = join(directory, 'servers.cfg');
  await writeFile(servers, 'backend front_ends\n  server one 127.0.0.1:18080 check\n');
  const files = ['-f', 'docker-compose.yml'];
  // The two files that the page for operators shows, where it says that they belong.
  const [override, overlay] = [...read('docs/operator/install.md').matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text]) => text);
  await writeFile(join(directory, 'override.yml'), override);
  const production = join(directory, 'overlays/production');
  await mkdir(production, { recursive: true });
  await writeFile(join(production, 'kustomization.yaml'), overlay);
  await writeFile(join(production, 'ingress.yaml'), read('deploy/kubernetes/ingress.example.yaml'));
  await cp(join(root, 'deploy/kubernetes'), join(directory, 'deploy/kubernetes'), { recursive: true });
  const checks = [
    ['haproxy', '-c', '-f', 'deploy/haproxy/haproxy.cfg', '-f', servers],
    ['docker-compose', '--env-file', env, ...files, 'config', '-q'],
    ['docker-compose', '--env-file', env, ...files, '-f', 'deploy/observability/compose.yaml', 'config', '-q'],
    ['docker-compose', '--env-file', env, ...files, '-f', join(directory, 'override.yml'), 'config', '-q'],
    ['kubectl', 'kustomize', production],
    ['caddy', 'validate', '--adapter', 'caddyfile', '--config', 'deploy/caddy/Caddyfile'],
  ];
  let ran = 0;
  for (const [program, ...options] of checks) {
    await run(program, options, { cwd: root, env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, HOME: directory, CORP_SECRET: 'secret', PULSE_BIND: '127.0.0.1:18080' } })
      .then(() => ran++, (error) => {
        if (error.code === 'ENOENT') t.diagnostic(`${program} is missing: ${options.at(-1)} was not checked`);
        else throw new Error(`${program} ${options.join(' ')}: ${error.stderr}`);
      });
  }
  // test.sh installs HAProxy.
  assert.ok(ran > 0);
});
