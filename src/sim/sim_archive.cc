#include <utility>

#include "sim/sim_state.h"
#include "sim/tar.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

constexpr std::int64_t kDirectoryMode = 2'147'484'141;  // Go's os.ModeDir | 0755
constexpr std::int64_t kFileMode = 420;                 // 0644

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = (group << 8U) | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text.push_back(i <= count ? kDigits[(group >> (18 - 6 * i)) & 63U] : '=');
    }
  }
  return text;
}

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string StatText(const std::string& name, std::int64_t size, std::int64_t mode) {
  std::string json = "{";
  AppendJsonField(json, "name", name);
  AppendJsonField(json, "size", size);
  AppendJsonField(json, "mode", mode);
  AppendJsonField(json, "mtime", "2015-01-01T00:00:00Z");
  AppendJsonField(json, "linkTarget", "");
  return Base64(json + "}");
}

// The files at or below `path`, by their names in an archive of it.
TarFiles FilesBelow(const std::map<std::string, std::string>& files, const std::string& path) {
  TarFiles found;
  const std::string name = NameOf(path);
  for (const auto& [file, content] : files) {
    if (file == path) found[name] = content;
    if (file.starts_with(path + "/")) found[name + file.substr(path.size())] = content;
  }
  return found;
}

}  // namespace

Reply SimState::Archive(SimContainer& container, const SimCall& call) {
  std::string path = QueryText(call.query, "path");
  if (path.empty()) return SimError(400, "bad parameter: path cannot be empty");
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  static constexpr std::string_view kDirectories[] = {"/",     "/tmp",  "/etc",
                                                      "/root", "/data", "/var"};
  const TarFiles files = FilesBelow(container.files, path);
  const bool is_file = container.files.contains(path);
  bool is_directory = !is_file && !files.empty();
  for (const std::string_view directory : kDirectories)
    is_directory = is_directory || path == directory;
  if (!is_file && !is_directory) {
    return SimError(404, "Could not find the file " + path + " in container " + call.path[1]);
  }
  if (call.method == "PUT") {
    if (!is_directory) return SimError(400, "extraction point is not a directory");
    const absl::StatusOr<TarFiles> given = ReadTar(call.body);
    if (!given.ok()) return SimError(400, MessageOf(given.status()));
    for (const auto& [name, content] : *given) {
      container.files[(path == "/" ? "" : path) + "/" +
                      (name.starts_with("./") ? name.substr(2) : name)] = content;
    }
    EmitOf(container, "extract-to-dir");
    return SimEmpty(200);
  }
  Reply reply;
  const std::int64_t size =
      is_file ? static_cast<std::int64_t>(container.files.at(path).size()) : 4096;
  SetHeader(reply.headers, "X-Docker-Container-Path-Stat",
            StatText(NameOf(path), size, is_file ? kFileMode : kDirectoryMode));
  if (call.method == "HEAD") return reply;
  SetHeader(reply.headers, "Content-Type", "application/x-tar");
  reply.body = WriteTar(files);
  EmitOf(container, "archive-path");
  return reply;
}

Reply SimState::Export(const SimContainer& container) const {
  TarFiles files;
  for (const auto& [path, content] : container.files) files[path.substr(1)] = content;
  files["etc/hostname"] = container.host_name + "\n";
  Reply reply;
  SetHeader(reply.headers, "Content-Type", "application/octet-stream");
  reply.body = WriteTar(files);
  return reply;
}

}  // namespace swarm
