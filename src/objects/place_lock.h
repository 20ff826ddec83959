// place_lock.h: says which server holds a directory, and keeps a second one out.
//
// Place: taken by `blueshift serve` and by the in-process shell before the store is opened. The
// file PLACE/.server is locked (flock) and holds the server's address, so that a second opener can
// connect instead. The lock goes with the process, however it ends.
// Not needed for safety: the log arbitrates between writers. It keeps lock tables single.
// Owns: the open file; borrows the FileSystem.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "objects/file_system.h"

namespace blueshift::objects {

class PlaceLock {
public:
    /// Creates the directory when it is missing. `address`: how to reach this process, "" when it
    /// takes no connections. 55006 with the holder's address in detail when the place is held.
    static Result<std::unique_ptr<PlaceLock>> acquire(FileSystem& files, const std::string& root,
                                                      std::string_view address);
    /// The address of the server that holds the place; "" when nobody does, or it has none.
    static Result<std::string> holder(FileSystem& files, const std::string& root);
    ~PlaceLock();

    /// Replaces the address, for servers that learn their port after they took the lock.
    Status setAddress(std::string_view address);

private:
    PlaceLock(FileSystem& files, i64 file, std::string path);

    FileSystem& files_;
    i64 file_;
    std::string path_;
};

} // namespace blueshift::objects
