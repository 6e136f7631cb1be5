// Python as a program of this build. A sanitizer's runtime must be the first in its process, and a
// module that was built with one cannot bring it into the plain interpreter.
#include <Python.h>

int main(int argc, char** argv) { return Py_BytesMain(argc, argv); }
