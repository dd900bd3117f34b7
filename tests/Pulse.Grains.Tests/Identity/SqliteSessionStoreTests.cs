using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

public sealed class SqliteSessionStoreTests(SqliteStores stores) : SessionStoreContract(stores), IClassFixture<SqliteStores>;
