using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Pulse.Web.Tests.Admin;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Pages;
using Pulse.Web.Tests.Presence;

namespace Pulse.Web.Tests.Contracts;

/// <summary>Renaming a class or moving a file changes nothing that clients, operators and stored data depend on.</summary>
public sealed class PublicContractsTests(PublicContractsTests.Application pulse) : IClassFixture<PublicContractsTests.Application>
{
    [Fact]
    public async Task Contracts_AreAsRecorded()
    {
        // One connection and one grain of a conversation, so that every instrument exists.
        await using var socket = await HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(Guid.NewGuid())));
        await Assert.ThrowsAsync<HubException>(() => socket.Connection.InvokeAsync("OpenConversation", Guid.NewGuid(), 0));
        var now = PublicContracts.Describe(pulse.Services);
        var stored = await File.ReadAllLinesAsync(Path.Combine(Checkout.Root, "tests/Pulse.Web.Tests/Contracts/public-contracts.txt"));

        var gone = string.Join('\n', stored.Except(now));
        var added = string.Join('\n', now.Except(stored));
        Assert.True(gone == "", $"Clients, operators or stored data depend on these lines:\n{gone}\nThe code now has:\n{added}");
        Assert.True(added == "", $"Add these lines to public-contracts.txt, in ordinal order:\n{added}");
    }

    /// <summary>With all optional routes, and with an exporter of metrics, whose collector need not exist.</summary>
    public sealed class Application() : PulseApplication([new("Pulse:Admin:Key", AdminPulse.Key), new("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]);
}
