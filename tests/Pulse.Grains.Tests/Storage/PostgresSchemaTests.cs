using Xunit;

namespace Pulse.Grains.Tests.Storage;

public sealed class PostgresSchemaTests() : SchemaContract(new PostgresStores());
