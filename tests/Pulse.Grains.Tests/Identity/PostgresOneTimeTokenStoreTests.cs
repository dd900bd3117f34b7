using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

public sealed class PostgresOneTimeTokenStoreTests(PostgresStores stores) : OneTimeTokenStoreContract(stores), IClassFixture<PostgresStores>;
