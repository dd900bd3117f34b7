using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

public sealed class PostgresAccountLinkTests(PostgresStores stores) : AccountLinkContract(stores), IClassFixture<PostgresStores>;
