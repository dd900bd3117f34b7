using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

public sealed class SqliteAccountLinkTests(SqliteStores stores) : AccountLinkContract(stores), IClassFixture<SqliteStores>;
