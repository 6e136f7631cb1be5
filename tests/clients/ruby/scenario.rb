#!/usr/bin/env ruby
# frozen_string_literal: true

# ruby-docker-api 2.2 (Debian's package) at the endpoint of DOCKER_HOST, as it is and pinned to API 1.16.
#
# usage: DOCKER_HOST=tcp://ADDRESS:PORT scenario.rb        started by libraries.py, once for each endpoint
#
# Prints `ok NAME` or `FAILED NAME: what was found` for each step; both endpoints must hold all of them.

require 'docker'
require 'rubygems/package' # which the gem needs and does not load
require 'stringio'

SLEEP = %w[sleep 600].freeze
LABELS = { 'here' => 'ruby' }.freeze
FILTER = { all: true, filters: '{"label":["here=ruby"]}' }.freeze

# Every path with the old version before it, as the gem itself wrote it up to 1.x.
class PinnedConnection < Docker::Connection
  private

  def compile_request_params(http_method, path, query = nil, opts = nil, &block)
    super(http_method, "/v1.16#{path}", query, opts, &block)
  end
end

def equal(found, wanted)
  raise "#{found.inspect}, not #{wanted.inspect}" unless found == wanted
end

def refused(error)
  yield
rescue error
  nil
else
  raise "no #{error}"
end

def sleeper(name, more = {})
  container = Docker::Container.create({ 'name' => name, 'Image' => 'busybox', 'Cmd' => SLEEP, 'Labels' => LABELS }.merge(more))
  container.start!
  container
end

def facts
  raise Docker.version.inspect unless Docker.version['ApiVersion'] && Docker.info['NCPU'].positive?

  equal(Docker.ping, 'OK')
  equal(Docker.podman?, false)
  equal(Docker.rootless?, false)
end

def lists
  first = sleeper('rb_one')
  second = Docker::Container.create('name' => 'rb_two', 'Image' => 'busybox', 'Cmd' => SLEEP, 'Labels' => LABELS)
  # Labels came with API 1.18; a client pinned before it lists all and looks itself.
  names = Docker::Container.all(all: true).map { |row| row.info['Names'].map { |name| name.delete_prefix('/') } }.flatten
  raise names.inspect unless (%w[rb_one rb_two] - names).empty?

  running = Docker::Container.all.select { |row| row.info['Labels']['here'] == 'ruby' }
  equal(running.map(&:id), [first.id])
  equal(Docker::Container.get('rb_two').id, second.id)
  refused(Docker::Error::NotFoundError) { Docker::Container.get('rb_nosuch') }
  refused(Docker::Error::ConflictError) { Docker::Container.create('name' => 'rb_one', 'Image' => 'busybox') }
  equal(first.json['State']['Running'], true)
  raise first.top.inspect unless first.top.any? { |row| row.values.include?('sleep 600') }

  first.delete(force: true)
  second.delete
end

def life
  container = Docker::Container.create('Image' => 'busybox', 'Cmd' => ['sh', '-c', 'echo out; echo err >&2; exit 3'],
                                       'Labels' => LABELS)
  container.start!
  equal(container.wait(30)['StatusCode'], 3)
  frames = container.logs(stdout: true, stderr: true)
  raise frames.inspect unless frames.include?("out\n") && frames.include?("err\n")

  equal(container.json['State']['ExitCode'], 3)
  container.remove
  other = sleeper('rb_life')
  other.pause
  equal(other.json['State']['Paused'], true)
  other.unpause
  other.rename('rb_renamed')
  other.restart('t' => 0)
  other.kill
  other.start
  other.stop('t' => 0)
  equal(other.json['State']['Running'], false)
  other.delete
end

def attaches
  container = Docker::Container.create('Image' => 'busybox', 'Cmd' => ['sh', '-c', 'cat; echo end >&2'], 'Labels' => LABELS,
                                       'OpenStdin' => true, 'StdinOnce' => true)
  thread = Thread.new { container.attach(stdin: StringIO.new("typed\n")) }
  sleep 0.05 until thread.stop? # it waits for the answer, or has it
  container.start
  raise 'attach did not end' unless thread.join(30)

  equal(thread.value, [["typed\n"], ["end\n"]])
  container.delete(force: true)
  ticks = Docker::Container.create('Image' => 'busybox', 'Cmd' => ['sh', '-c', 'sleep 0.5; echo tick'], 'Labels' => LABELS)
  ticks.start
  equal(ticks.attach(logs: true), [["tick\n"], []])
  ticks.delete(force: true)
end

def executes
  container = sleeper('rb_exec')
  equal(container.exec(['sh', '-c', 'echo out; echo err >&2; exit 4']), [["out\n"], ["err\n"], 4])
  equal(container.exec(['cat'], stdin: StringIO.new("through\n")), [["through\n"], [], 0])
  equal(container.exec(['tty'], tty: true)[0].first[0, 9], '/dev/pts/')
  container.exec(%w[touch /detached], detach: true)
  equal(container.exec(['sh', '-c', 'until test -e /detached; do sleep 0.1; done'])[2], 0)
  container.delete(force: true)
end

def copies
  container = sleeper('rb_copy')
  container.store_file('/tmp/file', 'content')
  equal(container.read_file('/tmp/file'), 'content')
  raise container.changes.inspect unless container.changes.any? { |row| row['Path'] == '/tmp/file' }

  size = 0
  container.export { |chunk| size += chunk.bytesize }
  raise 'nothing exported' unless size > 100_000

  image = container.commit('repo' => 'rb/committed', 'tag' => '1')
  equal(Docker::Image.exist?('rb/committed:1'), true)
  image.remove(force: true)
  container.delete(force: true)
end

def streams
  container = Docker::Container.create('Image' => 'busybox', 'Labels' => LABELS,
                                       'Cmd' => ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.1; done'])
  container.start
  found = []
  container.streaming_logs(stdout: true, follow: true) { |_, chunk| found << chunk }
  equal(found.join, "1\n2\n3\n")
  container.delete
  running = sleeper('rb_stats')
  raise running.stats.inspect unless running.stats['memory_stats']['usage'].positive?

  running.delete(force: true)
  events = []
  now = Time.now.to_i
  Docker::Event.since(now - 60, until: now + 1, filters: '{"label":["here=ruby"],"event":["create"]}') { |event| events << event }
  raise events.inspect unless events.any? { |event| event.actor.attributes['name'] == 'rb_stats' }
end

def images
  image = Docker::Image.get('busybox')
  raise image.info.inspect unless image.info['RepoTags'].include?('busybox:latest') && !image.history.empty?

  equal(Docker::Image.all.any? { |found| (found.info['RepoTags'] || []).include?('busybox:latest') }, true)
  image.tag('repo' => 'rb/image', 'tag' => 'one')
  equal(Docker::Image.exist?('rb/image:one'), true)
  Docker::Image.get('rb/image:one').remove(name: 'rb/image:one')
  equal(Docker::Image.exist?('rb/image:one'), false)
  container = image.run('echo ran')
  container.wait(30)
  equal(container.logs(stdout: true)[8..], "ran\n")
  container.delete
end

def networks_and_volumes
  network = Docker::Network.create('rb_net', 'Labels' => LABELS)
  equal(Docker::Network.get('rb_net').id, network.id)
  container = sleeper('rb_member')
  network.connect(container.id)
  equal(Docker::Network.get(network.id).info['Containers'].keys, [container.id])
  network.disconnect(container.id)
  container.delete(force: true)
  network.remove
  volume = Docker::Volume.create('rb_volume', 'Labels' => LABELS)
  equal(Docker::Volume.all.map(&:id).include?('rb_volume'), true)
  equal(Docker::Volume.get('rb_volume').info['Driver'], 'local')
  volume.remove
  refused(Docker::Error::NotFoundError) { Docker::Volume.get('rb_volume') }
  Docker::Network.create('rb_pruned', 'Labels' => LABELS)
  # The gem's own prune takes no filter, and would take what others made.
  pruned = Docker.connection.post('/networks/prune', filters: FILTER[:filters])
  equal(Docker::Util.parse_json(pruned)['NetworksDeleted'], ['rb_pruned'])
end

EVERYTHING = %i[facts lists life attaches executes copies streams images networks_and_volumes].freeze
PINNED = %i[facts lists life attaches executes images].freeze

def clean
  Docker::Container.all(FILTER).each { |container| container.delete(force: true) }
rescue StandardError => e
  puts "       while cleaning: #{e.message[0, 200]}"
end

def play(name)
  send(name)
  nil
rescue StandardError => e
  clean
  "#{e.class}: #{e.message[0, 800]}, at #{e.backtrace.grep(/scenario/).map { |line| line[/:(\d+):/, 1] }.join(' of ')}"
end

failed = 0
[['as it is', Docker.connection, EVERYTHING],
 ['pinned to 1.16', PinnedConnection.new(Docker.url, Docker.options), PINNED]].each do |how, connection, steps|
  Docker.instance_variable_set(:@connection, connection)
  steps.each do |name|
    fault = play(name)
    failed += 1 if fault
    puts fault ? "FAILED #{name}, #{how}: #{fault.tr("\n", ' ')}" : "ok #{name}, #{how}"
    $stdout.flush
  end
end
exit(failed.zero? ? 0 : 1)
