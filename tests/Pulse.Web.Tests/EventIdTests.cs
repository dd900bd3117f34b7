using System.Reflection;
using Microsoft.Extensions.Logging;

namespace Pulse.Web.Tests;

/// <summary>All projects write into one log in the in-process topology.</summary>
public sealed class EventIdTests
{
    private static readonly string[] s_projects = ["Pulse.Grains.Interfaces", "Pulse.Grains", "Pulse.Silo", "Pulse.Web"];

    [Fact]
    public void EventId_BelongsToOneMessageOfAllProjects()
    {
        var messages =
            from project in s_projects
            from type in Assembly.Load(project).GetTypes()
            from method in type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            let message = method.GetCustomAttribute<LoggerMessageAttribute>()
            where message is not null
            select (message.EventId, Method: $"{type.Name}.{method.Name}");
        var all = messages.ToArray();

        Assert.True(all.Length > 50, $"Only {all.Length} log messages were found.");
        Assert.Empty(all.GroupBy(message => message.EventId).Where(group => group.Count() > 1).Select(group => string.Join(" = ", group)));
    }
}
