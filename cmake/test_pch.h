// What most test programs include, compiled once.
#include <gtest/gtest.h>

#include "asio_pch.h"
