// Catalogs of things that do not exist here; clients join them all the same.
#include "catalog/system/view.h"

namespace blueshift::catalog {
namespace {

constexpr ViewSpec kViews[] = {
    {"pg_catalog", "pg_inherits", "inhrelid oid, inhparent oid, inhseqno i4, inhdetachpending b",
     noRows, Audience::kEveryone, 2611},
    {"pg_catalog", "pg_trigger",
     "oid oid, tgrelid oid, tgname name, tgfoid oid, tgtype i2, tgenabled char, tgisconstraint b, "
     "tgconstrname name, tgconstrrelid oid, tgconstraint oid, tgdeferrable b, tginitdeferred b, "
     "tgnargs i2, tgattr i2v, tgisinternal b, tgparentid oid",
     noRows, Audience::kEveryone, 2620},
    {"pg_catalog", "pg_policy",
     "oid oid, polname name, polrelid oid, polcmd char, polpermissive b, polroles oid[], "
     "polqual t, polwithcheck t"},
    {"pg_catalog", "pg_publication",
     "oid oid, pubname name, pubowner i4, puballtables b, pubinsert b, pubupdate b, pubdelete b, "
     "pubtruncate b, pubviaroot b"},
    {"pg_catalog", "pg_publication_rel",
     "oid oid, prpubid oid, prrelid oid, prqual t, prattrs i2v"},
    {"pg_catalog", "pg_publication_namespace", "oid oid, pnpubid oid, pnnspid oid"},
    {"pg_catalog", "pg_publication_tables", "pubname name, schemaname name, tablename name"},
    {"pg_catalog", "pg_subscription", "oid oid, subname name, subowner i4, subenabled b"},
    {"pg_catalog", "pg_statistic_ext",
     "oid oid, stxrelid oid, stxname name, stxnamespace oid, stxowner i4, stxstattarget i4, "
     "stxkeys i2v, stxkind t[], stxexprs t"},
    {"pg_catalog", "pg_foreign_table", "ftrelid oid, ftserver oid, ftoptions t[]"},
    {"pg_catalog", "pg_foreign_server",
     "oid oid, srvname name, srvowner i4, srvfdw oid, srvtype t, srvversion t, srvacl t[], "
     "srvoptions t[]"},
    {"pg_catalog", "pg_foreign_data_wrapper",
     "oid oid, fdwname name, fdwowner i4, fdwhandler oid, fdwvalidator oid, fdwacl t[], "
     "fdwoptions t[]"},
    {"pg_catalog", "pg_user_mappings",
     "umid oid, srvid oid, srvname name, umuser oid, usename name, umoptions t[]"},
    {"pg_catalog", "pg_enum", "oid oid, enumtypid oid, enumsortorder f4, enumlabel name"},
    {"pg_catalog", "pg_range", "rngtypid oid, rngsubtype oid, rngcollation oid"},
    {"pg_catalog", "pg_opclass",
     "oid oid, opcamid oid, opcname name, opcnamespace oid, opcowner i4, opcintype oid, "
     "opcdefault b, opckeytype oid, opcmethod oid, opcfamily oid",
     noRows, Audience::kEveryone, 2616},
    {"pg_catalog", "pg_conversion",
     "oid oid, conname name, connamespace oid, conowner i4, conforencoding i4, contoencoding i4, "
     "conproc regproc, condefault b",
     noRows, Audience::kEveryone, 2607},
    {"pg_catalog", "pg_extension",
     "oid oid, extname name, extowner i4, extnamespace oid, extrelocatable b, extversion t, "
     "extconfig oid[], extcondition t[]"},
    {"pg_catalog", "pg_available_extensions",
     "name name, default_version t, installed_version t, comment t"},
    {"pg_catalog", "pg_event_trigger",
     "oid oid, evtname name, evtevent name, evtowner i4, evtfoid oid, evtenabled char, evttags "
     "t[]"},
    {"pg_catalog", "pg_shdepend",
     "dbid oid, classid oid, objid oid, objsubid i4, refclassid oid, refobjid oid, deptype char"},
    {"pg_catalog", "pg_shdescription", "objoid oid, classoid oid, description t"},
    {"pg_catalog", "pg_seclabel", "objoid oid, classoid oid, objsubid i4, provider t, label t"},
    {"pg_catalog", "pg_sequence",
     "seqrelid oid, seqtypid oid, seqstart i8, seqincrement i8, seqmax i8, seqmin i8, seqcache i8, "
     "seqcycle b"},
    {"pg_catalog", "pg_sequences",
     "schemaname name, sequencename name, sequenceowner name, data_type regtype, start_value i8, "
     "min_value i8, max_value i8, increment_by i8, cycle b, cache_size i8, last_value i8"},
    {"pg_catalog", "pg_partitioned_table",
     "partrelid oid, partstrat char, partnatts i2, partdefid oid, partattrs i2v"},
    {"pg_catalog", "pg_matviews",
     "schemaname name, matviewname name, matviewowner name, tablespace name, hasindexes b, "
     "ispopulated b, definition t"},
    {"pg_catalog", "pg_rules", "schemaname name, tablename name, rulename name, definition t"},
    {"pg_catalog", "pg_statistic",
     "starelid oid, staattnum i2, stanullfrac f4, stawidth i4, stadistinct f4", noRows,
     Audience::kSuperusers, 2619},
    {"pg_catalog", "pg_db_role_setting", "setdatabase oid, setrole oid, setconfig t[]"},
    {"pg_catalog", "pg_default_acl",
     "oid oid, defacluser i4, defaclrole oid, defaclnamespace oid, defaclobjtype char, defaclacl "
     "t[]"},
    {"pg_catalog", "pg_library", "name name, language_oid oid, file_store_id i4, owner i4"},
    {"pg_catalog", "pg_external_schema", "esoid oid, eskind i4, esdbname t, esoptions t"},
    {"pg_catalog", "pg_largeobject_metadata", "oid oid, lomowner oid, lomacl t[]"},
    {"pg_catalog", "pg_prepared_xacts",
     "transaction xid, gid t, prepared tstz, owner name, database name"},
    {"pg_catalog", "pg_ts_config", "oid oid, cfgname name, cfgnamespace oid, cfgowner i4"},
    {"pg_catalog", "pg_ts_dict", "oid oid, dictname name, dictnamespace oid, dictowner i4"},
    {"pg_catalog", "pg_ts_parser", "oid oid, prsname name, prsnamespace oid"},
    {"pg_catalog", "pg_ts_template", "oid oid, tmplname name, tmplnamespace oid"},
    {"pg_catalog", "pg_opfamily",
     "oid oid, opfmethod oid, opfname name, opfnamespace oid, opfowner i4"},
    {"pg_catalog", "pg_amop",
     "oid oid, amopfamily oid, amoplefttype oid, amoprighttype oid, amopstrategy i2, amopopr oid, "
     "amopmethod oid, amoppurpose char, amopsortfamily oid"},
    {"pg_catalog", "pg_amproc",
     "oid oid, amprocfamily oid, amproclefttype oid, amprocrighttype oid, amprocnum i2, amproc "
     "oid"},
};

} // namespace

void addEmptyViews(SourceRegistry& registry) {
    addViews(registry, kViews);
}

} // namespace blueshift::catalog
