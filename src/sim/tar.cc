#include "sim/tar.h"

#include <charconv>
#include <cstring>

#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameSize = 100;

unsigned SumOf(std::string_view header) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    // The field of the sum itself counts as spaces.
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

std::uint64_t Octal(std::string_view field) {
  const std::size_t first = field.find_first_not_of(' ');
  if (first == std::string_view::npos) return 0;
  std::uint64_t value = 0;
  std::from_chars(field.data() + first, field.data() + field.size(), value, 8);
  return value;
}

std::string HeaderOf(const std::string& name, std::size_t size) {
  std::string header(kBlock, '\0');
  header.replace(0, std::min(name.size(), kNameSize - 1), name, 0, kNameSize - 1);
  const auto put = [&header](std::size_t at, int digits, std::uint64_t value) {
    for (int i = digits - 1; i >= 0; --i, value /= 8)
      header[at + i] = static_cast<char>('0' + value % 8);
  };
  put(100, 7, 0644);
  put(108, 7, 0);
  put(116, 7, 0);
  put(124, 11, size);
  put(136, 11, 0);
  header[156] = '0';
  header.replace(257, 5, "ustar");
  header.replace(263, 2, "00");
  put(148, 6, SumOf(header));
  header[155] = ' ';
  return header;
}

std::string FieldOf(std::string_view header, std::size_t at, std::size_t size) {
  const std::string_view field = header.substr(at, size);
  return std::string(field.substr(0, field.find('\0')));
}

}  // namespace

std::string WriteTar(const TarFiles& files) {
  std::string archive;
  for (const auto& [name, content] : files) {
    archive.append(HeaderOf(name, content.size())).append(content);
    archive.append((kBlock - content.size() % kBlock) % kBlock, '\0');
  }
  return archive.append(2 * kBlock, '\0');
}

absl::StatusOr<TarFiles> ReadTar(std::string_view archive) {
  TarFiles files;
  while (archive.size() >= kBlock && archive.front() != '\0') {
    const std::string_view header = archive.substr(0, kBlock);
    if (Octal(header.substr(148, 8)) != SumOf(header))
      return InvalidArgument("archive/tar: invalid tar header");
    const std::uint64_t size = Octal(header.substr(124, 12));
    const std::string prefix = FieldOf(header, 345, 155);
    std::string name = FieldOf(header, 0, kNameSize);
    if (header.substr(257, 5) == "ustar" && header[262] == '\0' && !prefix.empty())
      name = prefix + "/" + name;
    archive.remove_prefix(kBlock);
    const std::uint64_t padded = (size + kBlock - 1) / kBlock * kBlock;
    if (size > archive.size()) return InvalidArgument("archive/tar: unexpected EOF");
    const char kind = header[156];
    if (kind == '0' || kind == '\0') files[name] = std::string(archive.substr(0, size));
    archive.remove_prefix(std::min<std::uint64_t>(padded, archive.size()));
  }
  return files;
}

}  // namespace swarm
