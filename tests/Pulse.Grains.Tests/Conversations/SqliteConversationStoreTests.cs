using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

public sealed class SqliteConversationStoreTests(SqliteStores stores) : ConversationStoreContract(stores), IClassFixture<SqliteStores>;
