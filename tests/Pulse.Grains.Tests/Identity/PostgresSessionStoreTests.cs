using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

public sealed class PostgresSessionStoreTests(PostgresStores stores) : SessionStoreContract(stores), IClassFixture<PostgresStores>;
