using Pulse.Grains.Users;

namespace Pulse.Grains.Tests.Users;

/// <summary>Users that are unique to the calling test.</summary>
internal static class TestUsers
{
    /// <summary>A time with microseconds, the finest precision that both databases keep.</summary>
    public static readonly DateTimeOffset Noon = new DateTimeOffset(2030, 2, 3, 12, 0, 0, TimeSpan.Zero).AddTicks(1_234_560);

    public static UserRow New(string? email = null) =>
        new(Guid.CreateVersion7(), email ?? $"{Guid.NewGuid():N}@example.com", EmailVerified: true, "Ada", Avatar: null, Noon, LastSeenAt: null);
}
