using Microsoft.Extensions.Primitives;
using Pulse.Presence;
using Pulse.Web.Http;
using Pulse.Web.Presence;

namespace Pulse.Web.Tests.Presence;

public sealed class PresenceEndpointsTests
{
    [Fact]
    public void ParseIds_ListsAndRepeats_GiveEachUserOnceInOrder()
    {
        var (a, b, c) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var errors = new ValidationErrors();

        var ids = PresenceEndpoints.ParseIds(new StringValues([$"{b},{a}", $"{a},{c.ToString().ToUpperInvariant()}"]), errors);

        Assert.False(errors.Any);
        Assert.Equal([b, a, c], ids);
    }

    [Theory]
    [InlineData(200, 0)]
    [InlineData(201, 1)]
    public void ParseIds_Count_IsBounded(int count, int faults)
    {
        var errors = new ValidationErrors();

        PresenceEndpoints.ParseIds(string.Join(',', Enumerable.Range(0, count).Select(_ => Guid.NewGuid())), errors);

        Assert.Equal(faults, errors.ByMember.Count);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(",,")]
    [InlineData("nobody")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    public void ParseIds_NoneOrNoUuid_IsAFault(string? ids)
    {
        var errors = new ValidationErrors();

        PresenceEndpoints.ParseIds(ids, errors);

        Assert.Single(errors.ByMember["ids"]);
    }

    [Theory]
    [InlineData(PresenceStatus.Offline, "offline", "hi")]
    [InlineData(PresenceStatus.Online, "online", "hi")]
    [InlineData(PresenceStatus.Away, "away", "hi")]
    [InlineData(PresenceStatus.Busy, "busy", "hi")]
    [InlineData(PresenceStatus.Invisible, "offline", null)]
    [InlineData((PresenceStatus)77, "online", "hi")]
    public void From_AnyStatus_HasItsWireName(PresenceStatus status, string name, string? message)
    {
        var response = PresenceResponse.From(new PresenceSnapshot { UserId = Guid.NewGuid(), Status = status, Message = "hi" });

        Assert.Equal((name, message), (response.Status, response.Message));
    }
}
