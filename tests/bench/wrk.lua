-- wrk.lua: sends the requests of the file BENCH_REQUESTS, in turn, as they are (made by presign.py), and prints how many
-- answers were no success, since a fast refusal is no speed.

local requests = {}
local position = 0

function init()
    local file = assert(io.open(os.getenv("BENCH_REQUESTS"), "rb"))
    while true do
        local size = file:read("*n")
        if size == nil then
            break
        end
        file:read(1)
        requests[#requests + 1] = file:read(size)
    end
    file:close()
end

function request()
    position = position % #requests + 1
    return requests[position]
end

function done(summary, _, _)
    local errors = summary.errors
    local lost = errors.connect + errors.read + errors.write + errors.timeout
    io.write(string.format("refused %d\nbroken %d\n", errors.status, lost))
end
