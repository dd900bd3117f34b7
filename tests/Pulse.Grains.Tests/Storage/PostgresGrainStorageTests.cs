using Xunit;

namespace Pulse.Grains.Tests.Storage;

public sealed class PostgresGrainStorageTests(PostgresStores stores) : GrainStorageContract(stores), IClassFixture<PostgresStores>;
