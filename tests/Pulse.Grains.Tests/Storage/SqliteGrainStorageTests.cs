using Xunit;

namespace Pulse.Grains.Tests.Storage;

public sealed class SqliteGrainStorageTests(SqliteStores stores) : GrainStorageContract(stores), IClassFixture<SqliteStores>;
