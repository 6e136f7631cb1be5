// swarmd: command line to Config to Manager.
#include <string>
#include <vector>

#include "program.h"

int main(int argc, char** argv) {
  const std::string path = argv[0];
  return swarmd::RunProgram(path.substr(path.rfind('/') + 1),
                            std::vector<std::string>(argv + 1, argv + argc));
}
