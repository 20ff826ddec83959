#include "shell/admin_password.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace blueshift::shell {

std::string adminPasswordFile(const std::string& place) {
    return place + "/admin-password";
}

Status writeAdminPassword(const std::string& place, const std::string& password) {
    const std::string file = adminPasswordFile(place);
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const std::string line = password + "\n";
    // An older file may have other rights than the ones asked for above.
    const bool ok = descriptor >= 0 && ::fchmod(descriptor, 0600) == 0 &&
                    ::write(descriptor, line.data(), line.size()) == ssize_t(line.size()) &&
                    ::fsync(descriptor) == 0;
    const int code = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (ok) return {};
    return failure(
        Error(sqlstate::kIoError, "could not write \"" + file + "\": " + std::strerror(code))
            .withHint(
                "The generated password of admin was not kept; set another with ALTER USER."));
}

} // namespace blueshift::shell
