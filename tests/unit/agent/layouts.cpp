#include "layouts.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <iterator>

namespace gibbon::agent::test {
namespace {

/// By layout. What a build once wrote is never changed here.
constexpr const char* kLayouts[] = {
    "",

    R"(
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO schema_version VALUES (1);
CREATE TABLE services (id TEXT PRIMARY KEY, name TEXT UNIQUE, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE routes (id TEXT PRIMARY KEY, name TEXT UNIQUE, service_id TEXT REFERENCES services (id),
  body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE plugins (id TEXT PRIMARY KEY, instance_name TEXT UNIQUE,
  service_id TEXT REFERENCES services (id) ON DELETE CASCADE,
  route_id TEXT REFERENCES routes (id) ON DELETE CASCADE, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX routes_service ON routes (service_id);
CREATE INDEX plugins_service ON plugins (service_id);
CREATE INDEX plugins_route ON plugins (route_id);
INSERT INTO services VALUES ('00000000-0000-4000-8000-000000000001', 'a',
  '{"id":"00000000-0000-4000-8000-000000000001","name":"a"}');
INSERT INTO services VALUES ('00000000-0000-4000-8000-000000000003', 'b',
  '{"id":"00000000-0000-4000-8000-000000000003","name":"b"}');
INSERT INTO routes VALUES ('00000000-0000-4000-8000-000000000011', 'r', '00000000-0000-4000-8000-000000000001',
  '{"id":"00000000-0000-4000-8000-000000000011","name":"r","service":{"id":"00000000-0000-4000-8000-000000000001"}}');
INSERT INTO plugins VALUES ('00000000-0000-4000-8000-000000000021', NULL, '00000000-0000-4000-8000-000000000001', NULL,
  '{"id":"00000000-0000-4000-8000-000000000021","name":"p","service":{"id":"00000000-0000-4000-8000-000000000001"}}');
)",

    R"(
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO schema_version VALUES (2);
CREATE TABLE entities (collection TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (collection, id)) WITHOUT ROWID;
CREATE TABLE unique_keys (collection TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
  PRIMARY KEY (collection, field, value),
  FOREIGN KEY (collection, id) REFERENCES entities (collection, id) ON DELETE CASCADE
  DEFERRABLE INITIALLY DEFERRED) WITHOUT ROWID;
CREATE INDEX unique_keys_entity ON unique_keys (collection, id);
CREATE TABLE parents (collection TEXT NOT NULL, id TEXT NOT NULL, field TEXT NOT NULL,
  parent_collection TEXT NOT NULL, parent_id TEXT NOT NULL, cascades INTEGER NOT NULL,
  PRIMARY KEY (collection, id, field),
  FOREIGN KEY (collection, id) REFERENCES entities (collection, id) ON DELETE CASCADE
  DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (parent_collection, parent_id) REFERENCES entities (collection, id)
  DEFERRABLE INITIALLY DEFERRED) WITHOUT ROWID;
CREATE INDEX parents_parent ON parents (parent_collection, parent_id);
CREATE TRIGGER delete_children BEFORE DELETE ON entities BEGIN
  DELETE FROM entities WHERE (collection, id) IN (SELECT collection, id FROM parents
  WHERE parent_collection = OLD.collection AND parent_id = OLD.id AND cascades); END;
INSERT INTO entities VALUES ('services', '00000000-0000-4000-8000-000000000001',
  '{"id":"00000000-0000-4000-8000-000000000001","name":"a"}');
INSERT INTO entities VALUES ('services', '00000000-0000-4000-8000-000000000003',
  '{"id":"00000000-0000-4000-8000-000000000003","name":"b"}');
INSERT INTO entities VALUES ('routes', '00000000-0000-4000-8000-000000000011',
  '{"id":"00000000-0000-4000-8000-000000000011","name":"r","service":{"id":"00000000-0000-4000-8000-000000000001"}}');
INSERT INTO entities VALUES ('plugins', '00000000-0000-4000-8000-000000000021',
  '{"id":"00000000-0000-4000-8000-000000000021","name":"p","service":{"id":"00000000-0000-4000-8000-000000000001"}}');
INSERT INTO unique_keys VALUES ('services', 'name', 'a', '00000000-0000-4000-8000-000000000001');
INSERT INTO unique_keys VALUES ('services', 'name', 'b', '00000000-0000-4000-8000-000000000003');
INSERT INTO unique_keys VALUES ('routes', 'name', 'r', '00000000-0000-4000-8000-000000000011');
INSERT INTO unique_keys VALUES ('plugins', '@', 'p::00000000-0000-4000-8000-000000000001::',
  '00000000-0000-4000-8000-000000000021');
INSERT INTO parents VALUES ('routes', '00000000-0000-4000-8000-000000000011', 'service', 'services',
  '00000000-0000-4000-8000-000000000001', 0);
INSERT INTO parents VALUES ('plugins', '00000000-0000-4000-8000-000000000021', 'service', 'services',
  '00000000-0000-4000-8000-000000000001', 1);
)",
};

}  // namespace

void execute(const std::string& file, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_close(db);
}

void make_layout(const std::string& file, int layout) {
  ASSERT_LT(layout, static_cast<int>(std::size(kLayouts))) << "no database of this layout: add one";
  if (layout > 0) execute(file, "PRAGMA journal_mode=WAL");
  execute(file, kLayouts[layout]);
}

}  // namespace gibbon::agent::test
