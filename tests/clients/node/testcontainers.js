// testcontainers at the endpoint of DOCKER_HOST, without its reaper (TESTCONTAINERS_RYUK_DISABLED=true).
//
// usage: DOCKER_HOST=tcp://ADDRESS:PORT NODE_PATH=.../node_modules node testcontainers.js     started by libraries.py
//
// Environment: NO_RELAY=reason   published ports are not reached at DOCKER_HOST's address, and why
'use strict';

const assert = require('node:assert/strict');
const { GenericContainer, Network, Wait, getContainerRuntimeClient } = require('testcontainers');
const { play, text } = require('./steps');

const started = []; // what a step that fails leaves

function keep(thing) {
  started.push(thing);
  return thing;
}

async function clean() {
  for (const thing of started.splice(0).reverse()) await thing.stop().catch(() => {});
}

function busybox(script) {
  return new GenericContainer('busybox').withCommand(['sh', '-c', script]).withStartupTimeout(60000);
}

function nginx() {
  return new GenericContainer('nginx').withExposedPorts(80).withStartupTimeout(60000);
}

async function page(address) {
  return (await fetch(address)).text();
}

const steps = {
  async 'start, exec, logs, copy, stop'() {
    const container = keep(await busybox('exec sleep 600').withEnvironment({ COLOUR: 'blue' })
      .withLabels({ here: 'testcontainers' }).withWorkingDir('/tmp').withUser('root')
      .withCopyContentToContainer([{ content: 'given', target: '/tmp/given' }])
      .withTmpFs({ '/scratch': 'rw,size=1m' }).withWaitStrategy(Wait.forSuccessfulCommand('true')).start());
    const { output, exitCode } = await container.exec(['sh', '-c', 'echo $COLOUR; pwd; cat given; exit 3']);
    assert.deepEqual([output, exitCode], ['blue\n/tmp\ngiven', 3]);
    await container.copyContentToContainer([{ content: 'later', target: '/tmp/later' }]);
    assert.equal((await container.exec(['cat', '/tmp/later'])).output, 'later');
    assert.ok((await text(await container.copyArchiveFromContainer('/tmp/later'))).includes('later'));
    await container.restart();
    assert.equal(container.getLabels().here, 'testcontainers');
    await container.stop();
    const client = await getContainerRuntimeClient();
    await assert.rejects(() => client.container.inspect(client.container.getById(container.getId())), /no such container/i);
  },

  async 'logs as they come'() {
    const lines = [];
    const container = keep(await busybox('for i in 1 2 3; do echo line $i; sleep 0.2; done; exec sleep 600')
      .withLogConsumer((stream) => stream.on('data', (line) => lines.push(line.trim())))
      .withWaitStrategy(Wait.forLogMessage('line 3')).start());
    assert.ok((await (async () => {
      for (let tries = 0; tries < 100 && lines.length < 3; tries += 1) await new Promise((go) => { setTimeout(go, 50); });
      return lines;
    })()).includes('line 2'));
    await container.stop();
  },

  async 'wait strategies, health and one shot'() {
    const container = keep(await busybox('sleep 0.5; touch /ready; exec sleep 600').withHealthCheck(
      { test: ['CMD', 'test', '-e', '/ready'], interval: 200, timeout: 2000, retries: 100, startPeriod: 0 })
      .withWaitStrategy(Wait.forHealthCheck()).start());
    await container.stop();
    const once = keep(await busybox('exit 0').withWaitStrategy(Wait.forOneShotStartup()).start());
    await once.stop();
    await assert.rejects(() => busybox('exit 4').withWaitStrategy(Wait.forOneShotStartup()).start(), /failed to start/i);
  },

  async 'a network between containers'() {
    const network = keep(await new Network().start());
    const server = keep(await busybox('exec sleep 600').withNetwork(network).withNetworkAliases('server')
      .withWaitStrategy(Wait.forSuccessfulCommand('true')).start());
    const client = keep(await busybox('exec sleep 600').withNetwork(network)
      .withWaitStrategy(Wait.forSuccessfulCommand('true')).start());
    const { output, exitCode } = await client.exec(['ping', '-c', '1', 'server']);
    assert.equal(exitCode, 0, output);
    assert.ok(output.includes(server.getIpAddress(network.getName())), output);
    await client.stop();
    await server.stop();
    await network.stop();
  },

  // Where inspect says that the port is, which at a cluster is the node.
  async 'a published port, by its address'() {
    const container = keep(await nginx().withWaitStrategy(Wait.forSuccessfulCommand('true')).start());
    const client = await getContainerRuntimeClient();
    const found = await client.container.inspect(client.container.getById(container.getId()));
    const { HostIp, HostPort } = found.NetworkSettings.Ports['80/tcp'][0];
    const host = HostIp === '0.0.0.0' ? container.getHost() : HostIp;
    assert.match(await page(`http://${host}:${HostPort}/`), /hello from/);
    await container.stop();
  },

  // As its users do: the host of DOCKER_HOST, and the default strategy, which dials it.
  async 'a published port, at the host of DOCKER_HOST'() {
    if (process.env.NO_RELAY) return process.env.NO_RELAY;
    const container = keep(await nginx().start());
    assert.match(await page(`http://${container.getHost()}:${container.getMappedPort(80)}/`), /hello from/);
    await container.stop();
    const two = await Promise.all([1, 2].map(() => nginx().withWaitStrategy(Wait.forHttp('/', 80)).start()));
    two.forEach(keep);
    assert.notEqual(two[0].getId(), two[1].getId());
    await Promise.all(two.map((each) => each.stop()));
    return undefined;
  },
};

play(steps, '', clean).then((failed) => process.exit(failed ? 1 : 0));
