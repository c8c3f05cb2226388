-- Has wrk send the questions of a file, one JSON a line, each after the other, and print what came.

local bodies, number = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    bodies[#bodies + 1] = line
  end
end

function request()
  number = number % #bodies + 1
  return wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, bodies[number])
end

function done(summary, latency)
  local wrong = 0
  for _, count in pairs(summary.errors) do
    wrong = wrong + count
  end
  io.write(string.format(
    '\n{"requests": %d, "wall": %f, "p50": %f, "p95": %f, "wrong": %d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, wrong
  ))
end
