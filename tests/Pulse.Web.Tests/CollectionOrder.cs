using Pulse.Grains.Tests;
using Pulse.Web.Tests.Conversations;
using Pulse.Web.Tests.Demo;
using Pulse.Web.Tests.Keys;
using Pulse.Web.Tests.Pages;
using Pulse.Web.Tests.Presence;
using Pulse.Web.Tests.SignIn;
using Pulse.Web.Tests.Startup;

[assembly: TestCollectionOrderer("Pulse.Web.Tests.CollectionOrder", "Pulse.Web.Tests")]

namespace Pulse.Web.Tests;

internal sealed class CollectionOrder() : LongestFirst(
    // Chromium keeps two cores busy, so the third collection of pages starts when one of the first two has ended.
    AllPages.Name, ChatPages.Name, nameof(StartFaultTests), SharedSignIn.Name, nameof(WaitingTests), nameof(ConnectionEndTests), SharedPages.Name,
    SharedPulse.Name, nameof(DemoTests), nameof(KeyRingTests), nameof(ChatDeadlineTests), nameof(NewcomerTests), nameof(NeighboursTests),
    nameof(DemoRemovalTests), nameof(LeaseRenewalTests));
