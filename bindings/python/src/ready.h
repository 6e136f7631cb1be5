// How waits of asyncio end: the manager's threads note what is ready, without Python's lock, and
// one thread of Python passes it on.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

namespace pyswarm {

// Notes that the wait of that number is over. Any thread; takes no lock of Python.
void NoteReady(std::uint64_t number);

// At the end of the interpreter: take_ready gives nothing more.
void CloseReady();

// Adds take_ready, which waits for numbers and gives them, an empty list at the end, and
// forget_ready, for the child of a fork.
void BindReady(pybind11::module_& module);

}  // namespace pyswarm
