// admin_password.h: keeps the generated password of `admin` in PLACE/admin-password.
//
// Written by whoever opened the place first, server or shell; mode 600 from the start, durable on
// return. Errors: 58030.
#pragma once

#include <string>

#include "base/error.h"

namespace blueshift::shell {

std::string adminPasswordFile(const std::string& place);
Status writeAdminPassword(const std::string& place, const std::string& password);

} // namespace blueshift::shell
