// startup.h: the first packet of a connection: what it asks for, and its parameters.
//
// Unknown parameters are kept and ignored later, because Redshift's drivers send many that
// PostgreSQL would refuse. Malformed packets are 08P01.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ints.h"

namespace blueshift::session {

enum class StartupKind : u8 { kTls, kGss, kCancel, kSession };

struct StartupPacket {
    StartupKind kind = StartupKind::kSession;
    // kCancel
    i32 process_id = 0;
    u32 cancel_key = 0;
    // kSession
    u32 minor_version = 0;
    std::string user;
    std::string database;
    /// Settings for the engine, those inside `options` included.
    std::vector<std::pair<std::string, std::string>> settings;
    /// Names beginning with _pq_. that this server does not know.
    std::vector<std::string> unknown_options;
    /// What a Redshift driver asks for; -1 when the client does not say (it is no Redshift driver).
    i32 client_protocol_version = -1;
    std::string application_name;
};

Result<StartupPacket> parseStartup(std::string_view body);

} // namespace blueshift::session
