using Pulse.Grains.Tests.Clock;
using Pulse.Grains.Tests.Clustering;
using Pulse.Grains.Tests.Conversations;
using Pulse.Grains.Tests.Identity;
using Pulse.Grains.Tests.Presence;
using Pulse.Grains.Tests.Users;
using Xunit;

[assembly: TestCollectionOrderer("Pulse.Grains.Tests.CollectionOrder", "Pulse.Grains.Tests")]

namespace Pulse.Grains.Tests;

internal sealed class CollectionOrder() : LongestFirst(
    nameof(DatabaseOutageTests), nameof(ClockSetBackTenSecondsTests), nameof(ClockSetBackNinetySecondsTests),
    nameof(ClockSetBackAnHourTests), nameof(ClockSetForwardTests), nameof(ClusterTlsTests), nameof(UserSessionsGrainTests), nameof(UserGrainDeadlineTests),
    nameof(PostgresConversationStoreTests));
