using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

public sealed class SqliteAccountStoreTests(SqliteStores stores) : AccountStoreContract(stores), IClassFixture<SqliteStores>;
