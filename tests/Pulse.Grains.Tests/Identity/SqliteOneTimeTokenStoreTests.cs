using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

public sealed class SqliteOneTimeTokenStoreTests(SqliteStores stores) : OneTimeTokenStoreContract(stores), IClassFixture<SqliteStores>;
