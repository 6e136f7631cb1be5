#include "engine_documents.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace bench {
namespace {

constexpr std::int64_t kFirstCreated = 1'700'000'000;  // seconds; each container is one younger

std::int64_t Created(const Subject& subject) {
  return kFirstCreated + static_cast<std::int64_t>(subject.index);
}

std::string CreatedAt(const Subject& subject) {
  const std::time_t seconds = Created(subject);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.123456789Z", &parts);
  return text;
}

std::string NameOf(const Subject& subject) {
  return subject.is_made ? subject.name : "web-" + std::to_string(subject.index);
}

std::string ImageId() { return "sha256:" + std::string(64, 'a'); }

std::string Address(const Subject& subject) {
  return "172.17." + std::to_string(subject.index / 250 % 250) + "." +
         std::to_string(subject.index % 250 + 2);
}

std::string PublishedPort(const Subject& subject) {
  return std::to_string(20'000 + subject.index % 10'000);
}

std::string LabelsObject(const Subject& subject) {
  if (subject.is_made) return subject.labels;
  return R"({"com.example.project":"shop","com.example.service":"frontend",)"
         R"("com.example.version":"1.24.0","maintainer":"operations@example.com"})";
}

std::string Network(const Subject& subject, bool with_aliases) {
  return R"({"IPAMConfig":null,"Links":null,"Aliases":)" +
         std::string(with_aliases ? R"(["web","frontend"])" : "null") + R"(,"NetworkID":")" +
         std::string(64, 'b') + R"(","EndpointID":")" + std::string(64, 'c') +
         R"(","Gateway":"172.17.0.1","IPAddress":")" + Address(subject) +
         R"(","IPPrefixLen":16,"IPv6Gateway":"","GlobalIPv6Address":"","GlobalIPv6PrefixLen":0,)"
         R"("MacAddress":"02:42:ac:11:00:02","DriverOpts":null})";
}

std::string Environment() {
  std::string list = R"("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")";
  for (const char* name : {"DATABASE_HOST", "DATABASE_NAME", "CACHE_HOST", "LOG_LEVEL", "REGION",
                           "FEATURES", "SESSION_TIMEOUT", "WORKERS"}) {
    list.append(",\"").append(name).append("=a value of the usual length\"");
  }
  return list;
}

std::string StateObject(const Subject& subject) {
  if (!subject.is_running) {
    return R"({"Status":"created","Running":false,"Paused":false,"Restarting":false,)"
           R"("OOMKilled":false,"Dead":false,"Pid":0,"ExitCode":0,"Error":"",)"
           R"("StartedAt":"0001-01-01T00:00:00Z","FinishedAt":"0001-01-01T00:00:00Z"})";
  }
  return R"({"Status":"running","Running":true,"Paused":false,"Restarting":false,)"
         R"("OOMKilled":false,"Dead":false,"Pid":)" +
         std::to_string(1000 + subject.index) +
         R"(,"ExitCode":0,"Error":"","StartedAt":"2026-01-01T00:00:01.123456789Z",)"
         R"("FinishedAt":"0001-01-01T00:00:00Z","Health":{"Status":")" +
         (subject.is_healthy ? "healthy" : "unhealthy") + R"(","FailingStreak":0,"Log":[)" +
         R"({"Start":"2026-01-01T00:00:02Z","End":"2026-01-01T00:00:03Z","ExitCode":0,)"
         R"("Output":"200 OK\n"}]}})";
}

std::string PortBindings(const Subject& subject, std::string_view host) {
  if (subject.is_made) return "{}";
  return R"({"80/tcp":[{"HostIp":")" + std::string(host) + R"(","HostPort":")" +
         PublishedPort(subject) + R"("}]})";
}

std::string HostConfig(const Subject& subject) {
  return R"({"Binds":null,"ContainerIDFile":"","LogConfig":{"Type":)"
         R"("json-file","Config":{}},"NetworkMode":"default","PortBindings":)" +
         PortBindings(subject, "") +
         R"(,"RestartPolicy":{"Name":"always","MaximumRetryCount":0},"AutoRemove":false,)"
         R"("VolumeDriver":"","VolumesFrom":null,"CapAdd":null,"CapDrop":null,"CgroupnsMode":)"
         R"("host","Dns":[],"DnsOptions":[],"DnsSearch":[],"ExtraHosts":null,"GroupAdd":null,)"
         R"("IpcMode":"private","Cgroup":"","Links":null,"OomScoreAdj":0,"PidMode":"",)"
         R"("Privileged":false,"PublishAllPorts":false,"ReadonlyRootfs":false,"SecurityOpt":null,)"
         R"("UTSMode":"","UsernsMode":"","ShmSize":67108864,"Runtime":"runc","ConsoleSize":[0,0],)"
         R"("Isolation":"","CpuShares":0,"Memory":67108864,"NanoCpus":0,"CgroupParent":"",)"
         R"("BlkioWeight":0,"BlkioWeightDevice":[],"BlkioDeviceReadBps":null,)"
         R"("BlkioDeviceWriteBps":null,"BlkioDeviceReadIOps":null,"BlkioDeviceWriteIOps":null,)"
         R"("CpuPeriod":0,"CpuQuota":0,"CpuRealtimePeriod":0,"CpuRealtimeRuntime":0,"CpusetCpus":)"
         R"("","CpusetMems":"","Devices":[],"DeviceCgroupRules":null,"DeviceRequests":null,)"
         R"("KernelMemory":0,"KernelMemoryTCP":0,"MemoryReservation":0,"MemorySwap":134217728,)"
         R"("MemorySwappiness":null,"OomKillDisable":false,"PidsLimit":null,"Ulimits":null,)"
         R"("CpuCount":0,"CpuPercent":0,"IOMaximumIOps":0,"IOMaximumBandwidth":0,"MaskedPaths":)"
         R"(["/proc/asound","/proc/acpi","/proc/kcore","/proc/keys","/proc/latency_stats",)"
         R"("/proc/timer_list","/proc/timer_stats","/proc/sched_debug","/proc/scsi",)"
         R"("/sys/firmware"],"ReadonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys",)"
         R"("/proc/sysrq-trigger"]})";
}

std::string Config(const Subject& subject) {
  return R"({"Hostname":")" + subject.id.substr(0, 12) +
         R"(","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,)"
         R"("AttachStderr":false,"ExposedPorts":{"80/tcp":{}},"Tty":false,"OpenStdin":false,)"
         R"("StdinOnce":false,"Env":[)" +
         Environment() +
         R"(],"Cmd":["nginx","-g","daemon off;"],"Healthcheck":{"Test":["CMD-SHELL",)"
         R"("curl -f http://localhost/"],"Interval":30000000000,"Timeout":3000000000},"Image":)"
         R"("nginx:latest","Volumes":null,"WorkingDir":"/srv","Entrypoint":)"
         R"(["/docker-entrypoint.sh"],"OnBuild":null,"Labels":)" +
         LabelsObject(subject) + R"(,"StopSignal":"SIGQUIT"})";
}

std::string NetworkSettings(const Subject& subject) {
  return R"({"Bridge":"","SandboxID":")" + std::string(64, 'd') +
         R"(","HairpinMode":false,"LinkLocalIPv6Address":"","LinkLocalIPv6PrefixLen":0,"Ports":)" +
         PortBindings(subject, "0.0.0.0") + R"(,"SandboxKey":"/var/run/docker/netns/)" +
         subject.id.substr(0, 12) +
         R"(","SecondaryIPAddresses":null,"SecondaryIPv6Addresses":null,"EndpointID":")" +
         std::string(64, 'c') +
         R"(","Gateway":"172.17.0.1","GlobalIPv6Address":"","GlobalIPv6PrefixLen":0,"IPAddress":")" +
         Address(subject) +
         R"(","IPPrefixLen":16,"IPv6Gateway":"","MacAddress":"02:42:ac:11:00:02","Networks":)"
         R"({"bridge":)" +
         Network(subject, true) + "}}";
}

std::string ListedPort(const Subject& subject) {
  if (subject.is_made) return "";
  return R"({"IP":"0.0.0.0","PrivatePort":80,"PublicPort":)" + PublishedPort(subject) +
         R"(,"Type":"tcp"})";
}

std::string StatusText(const Subject& subject) {
  if (!subject.is_running) return "Created";
  return std::string("Up 10 months (") + (subject.is_healthy ? "healthy" : "unhealthy") + ")";
}

std::string Layer(const Subject& subject, const char* kind) {
  return "/var/lib/docker/overlay2/" + subject.id + "/" + kind;
}

}  // namespace

std::string ListRow(const Subject& subject) {
  return R"({"Id":")" + subject.id + R"(","Names":["/)" + NameOf(subject) +
         R"("],"Image":"nginx:latest","ImageID":")" + ImageId() +
         R"(","Command":"/docker-entrypoint.sh nginx -g 'daemon off;'","Created":)" +
         std::to_string(Created(subject)) + R"(,"Ports":[)" + ListedPort(subject) +
         R"(],"Labels":)" + LabelsObject(subject) + R"(,"State":")" +
         (subject.is_running ? "running" : "created") + R"(","Status":")" + StatusText(subject) +
         R"(","HostConfig":{"NetworkMode":"default"},"NetworkSettings":{"Networks":{"bridge":)" +
         Network(subject, false) + R"(}},"Mounts":[]})";
}

std::string Inspect(const Subject& subject) {
  return R"({"Id":")" + subject.id + R"(","Created":")" + CreatedAt(subject) +
         R"(","Path":"/docker-entrypoint.sh","Args":)"
         R"(["nginx","-g","daemon off;"],"State":)" +
         StateObject(subject) + R"(,"Image":")" + ImageId() +
         R"(","ResolvConfPath":"/var/lib/docker/containers/)" + subject.id +
         R"(/resolv.conf","HostnamePath":"/var/lib/docker/containers/)" + subject.id +
         R"(/hostname","HostsPath":"/var/lib/docker/containers/)" + subject.id +
         R"(/hosts","LogPath":"/var/lib/docker/containers/)" + subject.id + "/" + subject.id +
         R"(-json.log","Name":"/)" + NameOf(subject) +
         R"(","RestartCount":0,"Driver":"overlay2","Platform":"linux","MountLabel":"",)"
         R"("ProcessLabel":"","AppArmorProfile":"docker-default","ExecIDs":null,"HostConfig":)" +
         HostConfig(subject) + R"(,"GraphDriver":{"Data":{"LowerDir":")" + Layer(subject, "lower") +
         R"(","MergedDir":")" + Layer(subject, "merged") + R"(","UpperDir":")" +
         Layer(subject, "diff") + R"(","WorkDir":")" + Layer(subject, "work") +
         R"("},"Name":"overlay2"},"Mounts":[],"Config":)" + Config(subject) +
         R"(,"NetworkSettings":)" + NetworkSettings(subject) + "}\n";
}

std::string Changes(std::size_t least) {
  std::string list = R"([{"Path":"/var","Kind":0})";
  for (int number = 0; list.size() + 2 < least; ++number) {
    list += R"(,{"Path":"/var/cache/content/)" + std::to_string(10'000 + number) + R"(","Kind":1})";
  }
  return list + "]\n";
}

std::string Event(const Subject& subject, std::string_view action) {
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  const std::string status(action);
  return R"({"status":")" + status + R"(","id":")" + subject.id +
         R"(","from":"nginx:latest","Type":"container","Action":")" + status +
         R"(","Actor":{"ID":")" + subject.id +
         R"(","Attributes":{"image":"nginx:latest","name":")" + NameOf(subject) +
         R"("}},"scope":"local","time":)" + std::to_string(nanos / 1'000'000'000) +
         R"(,"timeNano":)" + std::to_string(nanos) + "}\n";
}

std::string HealthEvent(const Subject& subject) {
  return Event(subject, subject.is_healthy ? "health_status: healthy" : "health_status: unhealthy");
}

std::string Info(int engine, int containers) {
  char id[40];
  std::snprintf(id, sizeof id, "BENC:HENG:INE0:%04d", engine);
  char name[24];
  std::snprintf(name, sizeof name, "bench-%03d", engine);
  const std::string count = std::to_string(containers);
  return R"({"ID":")" + std::string(id) + R"(","Name":")" + name + R"(","Containers":)" + count +
         R"(,"ContainersRunning":)" + count +
         R"(,"ContainersPaused":0,"ContainersStopped":0,"Images":1,"Driver":"overlay2",)"
         R"("KernelVersion":"6.1.0","OperatingSystem":"Debian GNU/Linux 12","OSType":"linux",)"
         R"("Architecture":"x86_64","NCPU":64,"MemTotal":1099511627776,"ServerVersion":)"
         R"("20.10.24","Labels":["zone=external","storage=ssd"]})"
         "\n";
}

std::string Version() {
  return R"({"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12","Os":"linux",)"
         R"("Arch":"amd64","KernelVersion":"6.1.0"})"
         "\n";
}

std::string Images() {
  return R"([{"Containers":-1,"Created":1700000000,"Id":")" + ImageId() +
         R"(","Labels":null,"ParentId":"","RepoDigests":null,"RepoTags":["nginx:latest"],)"
         R"("SharedSize":-1,"Size":1000000,"VirtualSize":1000000}])"
         "\n";
}

}  // namespace bench
