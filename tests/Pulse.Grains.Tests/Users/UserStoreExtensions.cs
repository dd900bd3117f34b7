using Pulse.Grains.Presence;
using Pulse.Grains.Storage;
using Pulse.Grains.Users;

namespace Pulse.Grains.Tests.Users;

internal static class UserStoreExtensions
{
    /// <summary>
    /// Saves lastSeen as <see cref="LastSeenWriter"/> does: rows that another session has locked are written once they are free.
    /// </summary>
    public static async Task SaveAsync(this IUserStore users, IReadOnlyCollection<LastSeen> seen)
    {
        for (var left = seen; left.Count > 0;)
        {
            var skipped = await users.SaveLastSeenAsync(left, BatchLimits.Alone(TimeSpan.FromSeconds(30)));
            left = [.. left.Where(entry => skipped.Contains(entry.UserId))];
        }
    }
}
