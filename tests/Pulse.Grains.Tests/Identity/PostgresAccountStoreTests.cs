using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

public sealed class PostgresAccountStoreTests(PostgresStores stores) : AccountStoreContract(stores), IClassFixture<PostgresStores>;
