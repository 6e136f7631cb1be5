// dockerode at the endpoint of DOCKER_HOST: what its users do, attach and exec with and without hijack.
//
// usage: DOCKER_HOST=tcp://ADDRESS:PORT NODE_PATH=.../node_modules node dockerode.js     started by libraries.py
'use strict';

const assert = require('node:assert/strict');
const { PassThrough } = require('node:stream');
const Docker = require('dockerode');
const tar = require('tar-stream');
const { play, refused, text, until } = require('./steps');

const LABELS = { here: 'node' };
const FILTERS = { label: ['here=node'] };
const SLEEP = { Image: 'busybox', Cmd: ['sleep', '600'], Labels: LABELS };

// Starts reading a multiplexed stream; ended() gives both outputs when it has ended.
function outputs(docker, stream) {
  const out = new PassThrough();
  const err = new PassThrough();
  docker.modem.demuxStream(stream, out, err);
  const both = Promise.all([text(out), text(err)]);
  for (const event of ['end', 'close']) stream.once(event, () => { out.end(); err.end(); });
  return both;
}

async function sleeper(docker, name, more = {}) {
  const container = await docker.createContainer({ ...SLEEP, name, ...more });
  await container.start();
  return container;
}

async function clean(docker) {
  const left = await docker.listContainers({ all: true, filters: FILTERS });
  await Promise.all(left.map((row) => docker.getContainer(row.Id).remove({ force: true, v: true })));
}

async function archived(name, content) {
  const pack = tar.pack();
  pack.entry({ name }, content);
  pack.finalize();
  return pack;
}

function steps(docker) {
  return {
    async facts() {
      assert.equal((await docker.ping()).toString(), 'OK');
      assert.ok((await docker.version()).ApiVersion);
      const info = await docker.info();
      assert.ok(info.NCPU > 0 && info.ID && info.Swarm.LocalNodeState === 'inactive');
    },

    async lists() {
      const first = await sleeper(docker, 'no_one', { Labels: { ...LABELS, role: 'first' } });
      const second = await docker.createContainer({ ...SLEEP, name: 'no_two' });
      const names = async (options) => (await docker.listContainers(options)).map((row) => row.Names[0]);
      assert.deepEqual(await names({ all: true, filters: FILTERS }), ['/no_two', '/no_one']);
      assert.deepEqual(await names({ filters: FILTERS }), ['/no_one']);
      assert.deepEqual(await names({ all: true, filters: { label: ['here=node', 'role=first'] } }), ['/no_one']);
      assert.deepEqual(await names({ all: true, limit: 1, filters: JSON.stringify({ label: { 'here=node': true } }) }),
        ['/no_two']);
      const found = await first.inspect();
      assert.deepEqual([found.Name, found.State.Running, found.Config.Labels.role], ['/no_one', true, 'first']);
      await refused(() => docker.createContainer({ ...SLEEP, name: 'no_one' }), 409, /already in use by container/);
      await refused(() => docker.getContainer('no_nosuch').inspect(), 404, /[Nn]o such container/);
      await refused(() => first.start(), 304);
      await clean(docker);
      await refused(() => second.inspect(), 404);
    },

    async run() {
      const out = new PassThrough();
      const err = new PassThrough();
      const written = Promise.all([text(out), text(err)]);
      const [result, container] = await docker.run('busybox', ['sh', '-c', 'echo out; echo err >&2; exit 3'], [out, err],
        { Tty: false, Labels: LABELS });
      out.end();
      err.end();
      assert.equal(result.StatusCode, 3);
      assert.deepEqual(await written, ['out\n', 'err\n']);
      await container.remove();
    },

    async 'attach with hijack'() {
      const container = await docker.createContainer({ Image: 'busybox', Labels: LABELS, OpenStdin: true, StdinOnce: true,
        Cmd: ['sh', '-c', 'cat; echo late >&2'] });
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
      const both = outputs(docker, stream);
      await container.start();
      stream.write('one\n');
      stream.end('two\n');
      assert.deepEqual(await both, ['one\ntwo\n', 'late\n']);
      assert.equal((await container.wait()).StatusCode, 0);
      await container.remove();
    },

    async 'attach without hijack'() {
      const container = await docker.createContainer({ Image: 'busybox', Labels: LABELS,
        Cmd: ['sh', '-c', 'echo out; echo err >&2; sleep 0.3; echo end'] });
      const stream = await container.attach({ stream: true, stdout: true, stderr: true });
      const both = outputs(docker, stream);
      await container.start();
      assert.deepEqual(await both, ['out\nend\n', 'err\n']);
      await container.remove({ force: true });
    },

    async 'attach to a terminal, resize'() {
      const container = await docker.createContainer({ Image: 'busybox', Labels: LABELS, OpenStdin: true, Tty: true,
        Cmd: ['sh', '-c', 'read a; stty size; exit 6'] });
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
      const all = text(stream);
      await container.start();
      await container.resize({ h: 33, w: 77 });
      stream.write('go\n');
      assert.match(await all, /33 77\r\n/);
      assert.equal((await container.wait()).StatusCode, 6);
      await container.remove();
    },

    async 'exec with hijack'() {
      const container = await sleeper(docker, 'no_exec');
      const exec = await container.exec({ Cmd: ['sh', '-c', 'cat; echo late >&2; exit 4'], AttachStdin: true,
        AttachStdout: true, AttachStderr: true });
      const stream = await exec.start({ hijack: true, stdin: true });
      const both = outputs(docker, stream);
      stream.end('typed\n');
      assert.deepEqual(await both, ['typed\n', 'late\n']);
      assert.equal((await until(async () => { const now = await exec.inspect(); return now.Running ? null : now; },
        'the exec has ended')).ExitCode, 4);
      await container.remove({ force: true });
    },

    async 'exec without hijack'() {
      const container = await sleeper(docker, 'no_exec');
      const exec = await container.exec({ Cmd: ['sh', '-c', 'echo out; echo err >&2'], AttachStdout: true,
        AttachStderr: true, Env: ['A=1'], WorkingDir: '/tmp' });
      assert.deepEqual(await outputs(docker, await exec.start({})), ['out\n', 'err\n']);
      const detached = await container.exec({ Cmd: ['touch', '/detached'] });
      await detached.start({ Detach: true });
      await until(async () => !(await detached.inspect()).Running, 'the detached exec has ended');
      assert.equal((await detached.inspect()).ExitCode, 0);
      await container.remove({ force: true });
    },

    async logs() {
      const container = await docker.createContainer({ Image: 'busybox', Labels: LABELS,
        Cmd: ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.2; done'] });
      await container.start();
      assert.deepEqual(await outputs(docker, await container.logs({ follow: true, stdout: true, stderr: true })),
        ['1\n2\n3\n', '']);
      const last = await container.logs({ stdout: true, tail: 1 });
      assert.equal(last.subarray(8).toString(), '3\n');
      await container.remove();
    },

    async archives() {
      const container = await sleeper(docker, 'no_copy');
      await container.putArchive(await archived('file', 'content'), { path: '/tmp' });
      const extract = tar.extract();
      const found = new Promise((resolve) => { extract.on('entry', (header, stream, next) => {
        text(stream).then((content) => { resolve([header.name, content]); next(); });
      }); });
      (await container.getArchive({ path: '/tmp/file' })).pipe(extract);
      assert.deepEqual(await found, ['file', 'content']);
      assert.ok((await container.infoArchive({ path: '/tmp/file' })));
      await refused(() => container.getArchive({ path: '/nosuch' }), 404, /nosuch/);
      assert.ok((await container.changes()).some((row) => row.Path === '/tmp/file'));
      await container.remove({ force: true });
    },

    async life() {
      const container = await sleeper(docker, 'no_life');
      assert.ok((await container.top()).Processes.some((row) => row.includes('sleep 600')));
      assert.ok((await container.stats({ stream: false })).memory_stats.usage > 0);
      await container.pause();
      await container.unpause();
      await container.rename({ name: 'no_renamed' });
      await container.update({ Memory: 64 << 20, MemorySwap: 64 << 20 });
      assert.equal((await container.inspect()).HostConfig.Memory, 64 << 20);
      await container.restart({ t: 0 });
      await container.kill();
      assert.equal((await container.wait()).StatusCode, 137);
      await container.remove({ v: true });
    },

    async events() {
      const stream = await docker.getEvents({ filters: FILTERS });
      const seen = [];
      let rest = '';
      stream.on('data', (data) => {
        const lines = (rest + data).split('\n');
        rest = lines.pop();
        // Of a cluster, the last events of what ended just before may still be on their way.
        seen.push(...lines.filter(Boolean).map((line) => JSON.parse(line))
          .filter((event) => event.Actor.Attributes.name === 'no_event'));
      });
      const container = await sleeper(docker, 'no_event');
      await container.remove({ force: true });
      await until(() => seen.some((event) => event.Action === 'destroy'), 'destroy was heard');
      stream.destroy();
      const actions = seen.map((event) => event.Action);
      assert.deepEqual([actions[0], actions.includes('start'), actions.includes('die')], ['create', true, true]);
      assert.equal(seen[0].Actor.Attributes.image, 'busybox');
    },

    async images() {
      const image = docker.getImage('busybox');
      const found = await image.inspect();
      assert.ok(found.RepoTags.includes('busybox:latest'));
      assert.ok((await image.history()).length > 0);
      await image.tag({ repo: 'node/image', tag: 'one' });
      const listed = await docker.listImages({ filters: { reference: ['node/image'] } });
      assert.deepEqual(listed.map((row) => row.Id), [found.Id]);
      const saved = new PassThrough();
      const upload = docker.loadImage(saved);
      (await docker.getImage('node/image:one').get()).pipe(saved);
      const progress = await upload.then((stream) => new Promise((resolve, reject) => {
        docker.modem.followProgress(stream, (error, lines) => (error ? reject(error) : resolve(lines)));
      }));
      assert.match(JSON.stringify(progress), /Loaded image: node\/image:one/);
      await docker.getImage('node/image:one').remove();
      await refused(() => docker.getImage('node/image:one').inspect(), 404);
      await refused(() => docker.createContainer({ Image: 'node/nosuch' }), 404, /No such image/);
    },

    async 'networks and volumes'() {
      const network = await docker.createNetwork({ Name: 'no_net', CheckDuplicate: true, Labels: LABELS });
      await docker.createVolume({ Name: 'no_volume', Labels: LABELS });
      const container = await sleeper(docker, 'no_member', { HostConfig: { Binds: ['no_volume:/data'] },
        NetworkingConfig: { EndpointsConfig: { no_net: { Aliases: ['alias'] } } } });
      assert.deepEqual(Object.keys((await network.inspect()).Containers), [container.id]);
      assert.deepEqual((await docker.listNetworks({ filters: FILTERS })).map((row) => row.Name), ['no_net']);
      assert.deepEqual((await docker.listVolumes({ filters: FILTERS })).Volumes.map((row) => row.Name), ['no_volume']);
      await network.disconnect({ Container: container.id });
      await network.connect({ Container: container.id });
      await refused(() => network.remove(), 403, /active endpoints/);
      await refused(() => docker.getVolume('no_volume').remove(), 409, /in use/);
      await container.remove({ force: true });
      await network.remove();
      await docker.getVolume('no_volume').remove();
      await refused(() => docker.getVolume('no_volume').inspect(), 404);
    },

    async prunes() {
      const container = await docker.createContainer({ ...SLEEP, name: 'no_pruned' });
      assert.deepEqual((await docker.pruneContainers({ filters: FILTERS })).ContainersDeleted, [container.id]);
      await docker.createNetwork({ Name: 'no_pruned', Labels: LABELS });
      assert.deepEqual((await docker.pruneNetworks({ filters: FILTERS })).NetworksDeleted, ['no_pruned']);
      assert.equal((await docker.pruneImages({ filters: { label: ['here=nobody'] } })).SpaceReclaimed, 0);
    },
  };
}

async function main() {
  let failed = 0;
  for (const version of [undefined, 'v1.24']) {
    const docker = new Docker({ version });
    failed += await play(steps(docker), version ? `, version ${version}` : '', () => clean(docker));
  }
  process.exit(failed ? 1 : 0);
}

main();
